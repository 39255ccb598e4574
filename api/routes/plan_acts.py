"""Acts on plans: open, edit, submit, approve, publish, withdraw, roll back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Acting, Tenant
from api.fresh import written
from api.params import API, LARGEST_NUMBER, Instant, Plain, PlanNumber, Prose, Serving
from etl import drafts, edits, lifecycle, publish, rebase
from etl.edits import NEW, Move
from etl.lifecycle import MAX_COMMENT, Changed
from etl.publish import PublishReport
from etl.rebase import RebaseReport

router = APIRouter(prefix=API, tags=["plans"])

MAX_CELLS = 100_000

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="A request sent again under the same key is carried out once and answered the same.",
    ),
    Plain,
]
Number = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Word = Annotated[str, Field(min_length=1, max_length=64), Plain]
Said = Annotated[str, Field(min_length=1, max_length=MAX_COMMENT), Prose]


class Body(BaseModel):
    """A request's body, without anything that is not asked for."""

    model_config = ConfigDict(extra="forbid")


class Opening(Body):
    """What a draft begins as."""

    base: Number | None = Field(default=None, description="Plan to copy; the one in force by default.")
    title: Annotated[str, Field(min_length=1, max_length=drafts.MAX_TITLE), Plain] | None = None


class Return(Body):
    """Where to roll back to."""

    to: Number | None = Field(default=None, description="Plan; by default the one before that in force.")


class WantedMove(Body):
    """Cells that go to a grid: named themselves, by building, or all of some grids."""

    to: Id | Word = Field(description=f"A grid's id or code, or '{NEW}'.", examples=["340504001001002"])
    cells: list[Id] = Field(default=[], max_length=MAX_CELLS)
    buildings: list[Word] = Field(default=[], max_length=MAX_CELLS, description="The ledger's codes.")
    grids: list[Id | Word] = Field(default=[], max_length=1000)


class Seen(Body):
    """The revision of the plan that was seen."""

    revision: Number | None = Field(default=None, description="409 if the plan was edited since.")


class Edit(Body):
    """The revision of the draft that is edited."""

    revision: Number = Field(description="409, with what changed, if the draft was edited since.")


class Moves(Edit):
    """Moves, carried out all together or not at all."""

    moves: list[WantedMove] = Field(min_length=1, max_length=1000)


class Locking(Body):
    """Grids or cells to lock or unlock."""

    kind: Literal["grid", "cell"]
    ids: list[Id | Word] = Field(min_length=1, max_length=MAX_CELLS)


class Remark(Body):
    """What is said."""

    text: Said


class Reason(Seen):
    """Why."""

    reason: Said


class Approval(Seen):
    """What is let pass, and why."""

    waive: dict[Word, Said] = Field(
        default={}, description="A reason for each rule the plan breaks; 'all' for the others."
    )
    said: Said | None = None


class Publication(Seen):
    """When the plan shall take effect."""

    at: Instant | None = Field(
        default=None, description="Now by default; +08:00 where no zone is stated.", examples=["2026-12-01"]
    )


@router.post("/plans", summary="Open a draft", status_code=201, response_model=Changed)
def open_draft(state: Serving, actor: Acting, tenant: Tenant, body: Opening, key: Key = None) -> Response:
    """Open a draft that begins as any plan is, on today's cells."""
    done = drafts.open_draft(state.store, actor, tenant.code, base=body.base, title=body.title, key=key)
    return _opened(state, tenant, done)


@router.post("/plans/roll-back", summary="Draft a return", status_code=201, response_model=Changed)
def roll_back(state: Serving, actor: Acting, tenant: Tenant, body: Return, key: Key = None) -> Response:
    """Open a draft that returns to a plan that was in force: the same grids, with their codes."""
    return _opened(state, tenant, drafts.roll_back(state.store, actor, tenant.code, to=body.to, key=key))


def _opened(state: Serving, tenant: Tenant, done: Changed) -> Response:
    headers = {"Location": f"{API}/plans/{done.number}?district={tenant.code}"}
    return written(state, tenant.code, done, status=201, headers=headers)


@router.post("/plans/{number}/moves", summary="Move cells (划转)", response_model=Changed)
def move(
    state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Moves, key: Key = None
) -> Response:
    """Move cells of a draft between grids of their community."""
    wanted = [Move(**each.model_dump()) for each in body.moves]
    done = edits.move(state.store, actor, tenant.code, number, wanted, revision=body.revision, key=key)
    return written(state, tenant.code, done)


@router.post("/plans/{number}/undo", summary="Take the last moves back", response_model=Changed)
def undo(
    state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Edit, key: Key = None
) -> Response:
    """Take the last moves of a draft back; done again, those before them."""
    done = edits.undo(state.store, actor, tenant.code, number, revision=body.revision, key=key)
    return written(state, tenant.code, done)


@router.post("/plans/{number}/lock", summary="Lock grids or cells", response_model=Changed)
def lock(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Locking) -> Response:
    """Hold grids, or cells in their grids, against hand and balancer."""
    return written(
        state, tenant.code, edits.lock(state.store, actor, tenant.code, number, body.kind, body.ids)
    )


@router.post("/plans/{number}/unlock", summary="Unlock grids or cells", response_model=Changed)
def unlock(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Locking) -> Response:
    """Let grids or cells be moved again."""
    return written(
        state, tenant.code, edits.unlock(state.store, actor, tenant.code, number, body.kind, body.ids)
    )


@router.post("/plans/{number}/rebase", summary="Bring a draft up to date", response_model=RebaseReport)
def bring_up_to_date(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber) -> Response:
    """Carry a draft over to today's cells and to the plan in force; conflicts are listed."""
    return written(state, tenant.code, rebase.rebase_plan(state.store, actor, tenant.code, number))


@router.post("/plans/{number}/comments", summary="Comment", status_code=201, response_model=Changed)
def comment(
    state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Remark, key: Key = None
) -> Response:
    """Say something about a plan."""
    done = lifecycle.comment(state.store, actor, tenant.code, number, body.text, key=key)
    return written(state, tenant.code, done, status=201)


@router.post("/plans/{number}/submit", summary="Submit a draft", response_model=Changed)
def submit(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Seen) -> Response:
    """Freeze a draft and ask for approval."""
    done = lifecycle.submit(state.store, actor, tenant.code, number, revision=body.revision)
    return written(state, tenant.code, done)


@router.post("/plans/{number}/send-back", summary="Send a plan back", response_model=Changed)
def send_back(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Reason) -> Response:
    """Give a submitted or approved plan back to its author."""
    done = lifecycle.send_back(state.store, actor, tenant.code, number, **_reasoned(body))
    return written(state, tenant.code, done)


@router.post("/plans/{number}/approve", summary="Approve a plan", response_model=Changed)
def approve(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Approval) -> Response:
    """Approve a submitted plan that one had no hand in, with a reason for each rule that is let pass."""
    done = lifecycle.approve(
        state.store, actor, tenant.code, number, waive=body.waive, said=body.said, revision=body.revision
    )
    return written(state, tenant.code, done)


@router.post("/plans/{number}/publish", summary="Publish a plan", response_model=PublishReport)
def put_in_force(
    state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Publication, key: Key = None
) -> Response:
    """Put an approved plan in force now or at an instant to come."""
    done = publish.publish(
        state.store, actor, tenant.code, number, at=body.at, revision=body.revision, key=key
    )
    return written(state, tenant.code, done)


@router.post("/plans/{number}/withdraw", summary="Withdraw a plan", response_model=Changed)
def withdraw(state: Serving, actor: Acting, tenant: Tenant, number: PlanNumber, body: Reason) -> Response:
    """Take back a plan that has not taken effect."""
    done = lifecycle.withdraw(state.store, actor, tenant.code, number, **_reasoned(body))
    return written(state, tenant.code, done)


def _reasoned(body: Reason) -> dict[str, Any]:
    return {"reason": body.reason, "revision": body.revision}
