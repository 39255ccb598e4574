"""The declared tables: what the migrations build and the queries name."""

from data.tables.accounts import Account, SignIn
from data.tables.aliases import Alias
from data.tables.audit import AnsweredRequest, Audit
from data.tables.base import Base
from data.tables.cells import Cell, CellBorder, CellSet, Enclosure
from data.tables.jobs import Job
from data.tables.keys import SigningKey
from data.tables.levels import CoverageLevel
from data.tables.lineage import GridSuccession
from data.tables.plans import (
    Grid,
    GridExternalCode,
    Plan,
    PlanCell,
    PlanComment,
    PlanGrid,
    PlanLock,
    PlanMove,
    PlanProblem,
)
from data.tables.register import (
    Barrier,
    Building,
    Community,
    Compound,
    District,
    Ground,
    Import,
    ImportChange,
    Street,
    Town,
)
from data.tables.service import (
    Case,
    CaseContact,
    CaseEvent,
    Department,
    Duty,
    Facility,
    RiderCommunity,
    RiderPoint,
    Site,
    Worker,
)
from data.tables.versions import DataVersion

__all__ = [
    "Account",
    "Alias",
    "AnsweredRequest",
    "Audit",
    "Barrier",
    "Base",
    "Building",
    "Case",
    "CaseContact",
    "CaseEvent",
    "Cell",
    "CellBorder",
    "CellSet",
    "Community",
    "Compound",
    "CoverageLevel",
    "DataVersion",
    "Department",
    "District",
    "Duty",
    "Enclosure",
    "Facility",
    "Grid",
    "GridExternalCode",
    "GridSuccession",
    "Ground",
    "Import",
    "ImportChange",
    "Job",
    "Plan",
    "PlanCell",
    "PlanComment",
    "PlanGrid",
    "PlanLock",
    "PlanMove",
    "PlanProblem",
    "RiderCommunity",
    "RiderPoint",
    "SignIn",
    "SigningKey",
    "Site",
    "Street",
    "Town",
    "Worker",
]
