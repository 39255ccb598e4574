"""Pages of plans: the list, one plan with what it changes, and the acts people do with a click."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import HTMLResponse

from api import exports, pages, words
from api.atlas import map_data
from api.auth import Acting, Tenant
from api.kept import Kept
from api.kinds import kinds
from api.page_routes import PageRoute, done, link_in
from api.params import LARGEST_NUMBER, Instant, Plain, PlanNumber, Prose, Serving
from api.permissions import may
from api.plan_views import broken_rules, conflicts_of, facts_of, offers
from api.reasons import reasons_of
from api.state import State
from data import audit, comments, jobs, moves, plans, problems, register, standings
from data.districts import District
from data.plans import Plan
from etl import drafts, lifecycle, publish, rebase
from etl import jobs as asking
from etl.actor import Actor
from etl.compare import Comparison, compare
from geo.errors import InputError, NotFoundError
from maps.compare import comparison_page
from maps.overview import overview_page

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PAGE = 50
"""Plans a page lists."""

Done = Annotated[str | None, Query(max_length=20)]
Revision = Annotated[int, Form(ge=1, le=LARGEST_NUMBER)]
Key = Annotated[str, Form(min_length=8, max_length=64), Plain]
Said = Annotated[str, Form(max_length=lifecycle.MAX_COMMENT), Prose]

_MAP_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " frame-ancestors 'self'; sandbox allow-scripts"
)


class Slow:
    """What is slow to make for the page of a plan, kept by all it is made from."""

    def __init__(self) -> None:
        self.comparisons: Kept[Comparison] = Kept(32)
        self.maps: Kept[str] = Kept(4)


@router.get("/plans")
def plan_list(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    only: Annotated[str | None, Query(alias="state", max_length=20)] = None,
    before: Annotated[int, Query(ge=1, le=LARGEST_NUMBER)] = LARGEST_NUMBER,
    done: Done = None,
) -> Response:
    """List the plans, the newest first; the public sees those that were published."""
    with state.store.read(place.code) as connection:
        known = [plan for plan in plans.every(connection, place.code) if _visible(actor, plan)]
        chosen = [plan for plan in known if only is None or words.state_of(plan) == only]
        shown = [plan for plan in chosen if plan.number < before][:PAGE]
        standing = standings.of_plans(connection, place.code, [plan.id for plan in shown])
        at_work = jobs.unfinished(connection, place.code, "rebalance") if may(actor, "job.read") else []
        known_communities = (
            register.communities_by_code(connection, place.code) if may(actor, "job.run") else {}
        )
    more = bool(shown) and shown[-1].number > chosen[-1].number
    return pages.render(
        request,
        "plans.html",
        district=place,
        counts={key: sum(words.state_of(plan) == key for plan in known) for key in words.STATES},
        only=only,
        rows=[(plan, standing[plan.id]) for plan in shown],
        older=shown[-1].number if more else None,
        at_work=at_work,
        communities=known_communities,
        **_common(request, done),
    )


@router.get("/plans/{number}")
def plan_page(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber, done: Done = None
) -> Response:
    """Show one plan: what it changes, what is wrong with it, what was said and done."""
    staff = may(actor, "plan.read")
    with state.store.read(place.code) as connection:
        plan = _shown(connection, place, actor, number)
        base = plans.base_of(connection, place.code, plan)
        standing = standings.of_plans(connection, place.code, [plan.id])[plan.id]
        inside = _inside(connection, place, plan, actor) if staff else None
    return pages.render(
        request,
        "plan.html",
        district=place,
        plan=plan,
        base=base if base and _visible(actor, base) else None,
        standing=standing,
        inside=inside,
        compared=_comparison(request, state, place, plan, base) if staff else None,
        **_common(request, done),
    )


@router.get("/plans/{number}/map")
def plan_map(request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber) -> Response:
    """Show a plan beside the one before it, on maps that move together; a first plan alone."""
    with state.store.read(place.code) as connection:
        plan = _shown(connection, place, actor, number)
        base = plans.base_of(connection, place.code, plan)
    compared = _comparison(request, state, place, plan, base)

    def make() -> str:
        with state.store.read(place.code) as connection:
            new = map_data(connection, place, plan)
            if compared.before is None or compared.figures_before is None:
                return overview_page(new)
            old = map_data(connection, place, plans.get(connection, place.code, compared.before))
            told = exports.reasons(connection, place.code, plan)
        figures = {"before": compared.figures_before, "after": compared.figures_after}
        return comparison_page(old, new, {name: asdict(of) for name, of in figures.items()}, told)  # type: ignore[misc]

    slow: Slow = request.app.state.slow
    page = slow.maps.get(_made_from(state, place, plan, base), make)
    return HTMLResponse(page, headers={"Cache-Control": "no-store", "Content-Security-Policy": _MAP_POLICY})


@router.post("/plans")
def open_draft(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    key: Key,
    title: Annotated[str, Form(max_length=drafts.MAX_TITLE), Plain] = "",
) -> Response:
    """Open a draft from the plan in force."""
    made = drafts.open_draft(state.store, actor, place.code, title=title.strip() or None, key=key)
    return done(request, state, place, f"/plans/{made.number}", "open")


@router.post("/plans/rebalance")
def rebalance(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    profile: Annotated[str, Form(max_length=20)] = "stable",
    expected_percent: Annotated[int, Form(ge=0, le=100)] = 0,
    community: Annotated[str, Form(max_length=12)] = "",
) -> Response:
    """Have the balancer draft a plan from the one in force."""
    wish = {
        "profile": profile,
        "expected_percent": expected_percent,
        "communities": [community] if community else [],
    }
    asking.submit(state.store, actor, place.code, kinds(state.settings)["rebalance"], wish)
    return done(request, state, place, "/plans", "rebalance")


@router.post("/plans/jobs/{number}/cancel")
def end_rebalance(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber
) -> Response:
    """End the balancer's work on a draft, by the number of its job; nothing of it is kept."""
    with state.store.read(place.code) as connection:
        if jobs.get(connection, place.code, number).kind != "rebalance":
            raise NotFoundError(f"Job {number} is no rebalance.", "See the jobs on the list of plans.")
    asking.cancel(state.store, actor, place.code, number)
    return done(request, state, place, "/plans", "cancel")


@router.post("/plans/{number}/open")
def open_from(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber, key: Key
) -> Response:
    """Open a draft that begins as another plan is."""
    made = drafts.open_draft(state.store, actor, place.code, base=number, key=key)
    return done(request, state, place, f"/plans/{made.number}", "open")


@router.post("/plans/{number}/roll_back")
def roll_back(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber, key: Key
) -> Response:
    """Draft a return to a plan that was in force."""
    made = drafts.roll_back(state.store, actor, place.code, to=number, key=key)
    return done(request, state, place, f"/plans/{made.number}", "roll_back")


@router.post("/plans/{number}/rebase")
def bring_up_to_date(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber
) -> Response:
    """Bring a draft onto the newest cells and the plan in force."""
    rebase.rebase_plan(state.store, actor, place.code, number)
    return done(request, state, place, f"/plans/{number}", "rebase")


@router.post("/plans/{number}/submit")
def submit(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber, revision: Revision
) -> Response:
    """Freeze a draft and ask for approval."""
    lifecycle.submit(state.store, actor, place.code, number, revision=revision)
    return done(request, state, place, f"/plans/{number}", "submit")


@router.post("/plans/{number}/send_back")
def send_back(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    number: PlanNumber,
    revision: Revision,
    reason: Said,
) -> Response:
    """Give a plan back to its author."""
    lifecycle.send_back(state.store, actor, place.code, number, reason=reason, revision=revision)
    return done(request, state, place, f"/plans/{number}", "send_back")


@router.post("/plans/{number}/approve")
def approve(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    number: PlanNumber,
    revision: Revision,
    rule: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    reason: Annotated[
        list[Annotated[str, Field(max_length=lifecycle.MAX_COMMENT), Prose]], Form(max_length=20)
    ] = [],  # noqa: B006 - FastAPI copies it
    said: Said = "",
) -> Response:
    """Approve a plan, with a reason for each rule whose problems are let pass."""
    if len(rule) != len(reason):
        raise InputError("Every rule needs its reason.", "Open the plan's page anew.")
    lifecycle.approve(
        state.store,
        actor,
        place.code,
        number,
        waive=dict(zip(rule, reason, strict=True)),
        said=said.strip() or None,
        revision=revision,
    )
    return done(request, state, place, f"/plans/{number}", "approve")


@router.post("/plans/{number}/publish")
def put_out(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    number: PlanNumber,
    revision: Revision,
    key: Key,
    at: Annotated[Instant | None, Form()] = None,
) -> Response:
    """Publish an approved plan, now or at a time (+08:00)."""
    publish.publish(state.store, actor, place.code, number, at=at, revision=revision, key=key)
    return done(request, state, place, f"/plans/{number}", "publish")


@router.post("/plans/{number}/withdraw")
def withdraw(
    request: Request,
    state: Serving,
    place: Tenant,
    actor: Acting,
    number: PlanNumber,
    revision: Revision,
    reason: Said,
) -> Response:
    """Take back a plan that has not taken effect."""
    lifecycle.withdraw(state.store, actor, place.code, number, reason=reason, revision=revision)
    return done(request, state, place, f"/plans/{number}", "withdraw")


@router.post("/plans/{number}/comment")
def comment(
    request: Request, state: Serving, place: Tenant, actor: Acting, number: PlanNumber, key: Key, said: Said
) -> Response:
    """Say something about a plan."""
    lifecycle.comment(state.store, actor, place.code, number, said, key=key)
    return done(request, state, place, f"/plans/{number}", "comment")


def _common(request: Request, done: str | None) -> dict[str, Any]:
    """Return what the templates of plans share; ``key`` makes a form sent twice one request."""
    return {
        "link": link_in(request),
        "words": words,
        "done": words.DONE.get(done or ""),
        "key": secrets.token_hex(16),
    }


def _visible(actor: Actor, plan: Plan) -> bool:
    return plan.valid is not None or may(actor, "plan.read")


def _shown(connection: Connection, place: District, actor: Actor, number: int) -> Plan:
    """Return a plan; one the public may not see is as if it were not there."""
    plan = plans.get(connection, place.code, number)
    if not _visible(actor, plan):
        raise NotFoundError(f"District {place.code} has no plan {number}.", "See the list of plans.")
    return plan


def _inside(connection: Connection, place: District, plan: Plan, actor: Actor) -> dict[str, Any]:
    """Read what only staff see of a plan."""
    entries = moves.entries(connection, place.code, plan.id)
    return {
        "offers": offers(facts_of(connection, place.code, plan, actor)),
        "reasons": reasons_of(connection, place.code, plan),
        "problems": broken_rules(problems.of_plan(connection, place.code, plan.id)),
        "conflicts": conflicts_of(plan),
        "comments": comments.of_plan(connection, place.code, plan.id),
        "history": audit.entries(connection, place.code, subject=f"plan {plan.number}"),
        "entries": entries,
        "undone": {entry.undoes for entry in entries},
    }


def _made_from(state: State, place: District, plan: Plan, base: Plan | None) -> tuple[Any, ...]:
    """Return all that what is shown of a plan depends on; a plan may be based on a draft, which changes too."""
    edition = state.served(place.code).edition
    drawn = (plan.number, plan.revision, words.state_of(plan), base and base.revision)
    return (place.code, *drawn, edition.version, edition.day)


def _comparison(request: Request, state: State, place: District, plan: Plan, base: Plan | None) -> Comparison:
    slow: Slow = request.app.state.slow
    return slow.comparisons.get(
        _made_from(state, place, plan, base), lambda: compare(state.store, place.code, plan.number)
    )
