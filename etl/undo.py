"""Take a whole import back."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from data import changes, duties, imports, plans, versions
from data.changes import Undone
from data.session import Store
from etl.acting import acting
from etl.actor import Actor
from etl.ledger.importing import layers_of
from geo.errors import ConflictError


@dataclass(frozen=True)
class UndoReport:
    """What was taken back, by table; cells and plans stay as they are until they are made anew."""

    import_id: int
    source: str
    nouns: dict[str, Undone]


def undo_import(store: Store, actor: Actor, district: str, import_id: int) -> UndoReport:
    """Bring every row an import touched back to what it was before; what it added is retired.

    Cases and duties that were handed over, closed or ended since are left as they are, and counted.

    Raises
    ------
    NotFoundError
        If there is no such import.
    ConflictError
        If it changed nothing, was undone already, later imports touched the same rows, or a code it changed was
        given to another row since.
    """
    with acting(store, actor, district) as act:
        connection = act.connection
        found = imports.get(connection, district, import_id)
        _check(found, changes.later(connection, district, import_id))
        touched = changes.touched(connection, district, import_id)
        nouns = {noun: changes.undo(connection, district, import_id, noun) for noun in touched}
        plan = plans.in_force(connection, district)
        if plan and "duties" in nouns:
            duties.bind_stated(connection, district, plan.id)
        imports.mark_undone(connection, district, import_id, actor.id)
        versions.advance(connection, district, *layers_of(nouns))
        counts = {noun: asdict(done) for noun, done in nouns.items()}
        act.record(
            "import.undo",
            f"import {import_id}",
            before={"state": "loaded"},
            after={"state": "undone", **counts},
        )
    return UndoReport(import_id, found.source, nouns)


def _check(found: imports.Import, later: list[int]) -> None:
    if found.state == "refused":
        raise ConflictError(f"Import {found.id} was refused: there is nothing to undo.", "")
    if found.state == "undone":
        raise ConflictError(
            f"Import {found.id} was undone already, by {found.undone_by}.",
            "Import its files again to redo it.",
        )
    if later:
        listed = ", ".join(str(number) for number in later)
        raise ConflictError(
            f"Later imports touched the same rows as import {found.id}: {listed}.",
            f"Undo those first, the newest before the others: gridgov import undo {later[0]}.",
        )
