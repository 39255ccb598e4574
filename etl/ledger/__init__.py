"""The ledger: a district's own files, checked and loaded."""

from etl.ledger.importing import import_ledger, import_tables
from etl.ledger.report import ImportReport, Refusal, RefusedImportError
from etl.ledger.templates import write_templates

__all__ = [
    "ImportReport",
    "Refusal",
    "RefusedImportError",
    "import_ledger",
    "import_tables",
    "write_templates",
]
