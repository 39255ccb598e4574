"""The version of each layer's data: what caches and entity tags are keyed by."""

from __future__ import annotations

from sqlalchemy import Connection, text

CHANNEL = "gridgov_versions"
"""NOTIFY channel; the payload is ``district layer version``."""


DRAFTS = "drafts"
"""The layer of plans nobody is answered from yet: what raises it alone leaves every public answer as it was."""
LOCATE = "locate"
"""The layer raised by whatever changes what a point or an address is answered."""


def advance(connection: Connection, district: str, *layers: str) -> None:
    """Raise the version of layers in the transaction that changes them, and tell listeners."""
    raised = text(
        "INSERT INTO data_versions (district, layer, version)"
        " SELECT :district, layer, 1 FROM unnest(CAST(:layers AS text[])) AS layer"
        " ON CONFLICT (district, layer) DO UPDATE SET version = data_versions.version + 1"
        " RETURNING pg_notify(:channel, district || ' ' || layer || ' ' || version)"
    )
    connection.execute(raised, {"district": district, "layers": sorted(layers), "channel": CHANNEL})


def current(connection: Connection, district: str) -> dict[str, int]:
    """Return the version of every layer of a district; one never written has none."""
    rows = connection.execute(
        text("SELECT layer, version FROM data_versions WHERE district = :district"), {"district": district}
    )
    return {row.layer: row.version for row in rows}
