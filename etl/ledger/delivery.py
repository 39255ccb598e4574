"""A delivery against what is stored: the same things under new codes, what is gone, and what cannot be meant."""

from __future__ import annotations

from data import changes, register
from data.differences import Differences
from data.register_targets import TARGETS
from etl.ledger.addresses import addresses
from etl.ledger.load import Load, placed_as
from etl.ledger.report import Count, ImportReport

BELIEVED_SHARE = 0.2
"""A register does not lose or move a larger share of its rows from one delivery to the next."""
BELIEVED_ROWS = 20
"""So few rows are believed whatever their share."""
FAR_M = 1_000.0
"""A building that is further from where it stood has been given another one's code."""


def recode(job: Load) -> None:
    """Find stored buildings that are delivered under a new code, and give them that code."""
    known = job.stored.codes["buildings"]
    rows = [row for row in job.batch.good("buildings") if row.values["code"] not in known]
    if not (rows and known):
        return
    compose = addresses(job.batch, job.stored, job.district_name)
    unknown = [
        (row.values["code"], row.values["address"] or compose(row), *placed_as(row.shape)) for row in rows
    ]
    register.recode(
        job.connection, job.district, job.import_id, job.kind, unknown, job.delivered("buildings")
    )
    known.clear()
    known.update(register.codes(job.connection, job.district, "buildings"))


def retire_missing(job: Load, report: ImportReport, *, partial: bool) -> None:
    """Retire what a whole delivery does not name, those that others refer to last; count what stays.

    What is still named by something that stays (a compound by its buildings, a worker by a duty) stays too.
    """
    for noun in reversed(TARGETS):
        if noun not in job.batch.rows:
            continue
        delivered = job.delivered(noun)
        if not partial:
            register.retire(job.connection, job.district, TARGETS[noun], job.import_id, job.kind, delivered)
        report.counts[noun].missing = register.count_missing(
            job.connection, job.district, noun, job.kind, delivered
        )


def count(job: Load, report: ImportReport) -> None:
    """Put into the report what was done to every table of the register."""
    for noun, done in changes.touched(job.connection, job.district, job.import_id).items():
        if noun in TARGETS:
            counted = report.counts.setdefault(noun, Count())
            counted.new, counted.changed, counted.back, counted.gone = (
                done.new,
                done.changed,
                done.back,
                done.gone,
            )
    for noun, counted in report.counts.items():
        if noun in TARGETS:
            good = counted.read - counted.refused
            counted.unchanged = good - counted.new - counted.changed - counted.back


def doubts(job: Load, report: ImportReport, found: Differences) -> list[str]:
    """Return why a delivery can hardly be meant as it is: what it would retire or move, as sentences."""
    said = []
    for noun in TARGETS:
        counted = report.counts.get(noun)
        if counted is None:
            continue
        live = register.count_live(job.connection, job.district, noun, job.kind) - counted.new - counted.back
        if _beyond_belief(counted.gone, live + counted.gone):
            said.append(f"It would retire {counted.gone} of {live + counted.gone} stored {noun}.")
    far = sum(one.metres > FAR_M for one in found.moved if one.noun == "buildings")
    if "buildings" in report.counts and _beyond_belief(far, report.counts["buildings"].read):
        said.append(f"It would move {far} buildings by more than {FAR_M:.0f} m.")
    return said


def _beyond_belief(rows: int, of: int) -> bool:
    return rows > BELIEVED_ROWS and rows > BELIEVED_SHARE * of
