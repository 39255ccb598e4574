"""Who may do what: one table from action to roles, one from route to action, and what holds every route to them."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.exc import OperationalError

from api import auth
from etl import accounts
from etl.accounts import SignedIn
from etl.acting import check_scope
from etl.actor import PUBLIC, Actor
from geo.errors import ForbiddenError, SetupError, SignInError

# fmt: off
ACTIONS: dict[str, str] = {
    "read.public":    "public",
    "session.open":   "public",
    "session.own":    "public",
    "duty.read":      "planner approver dispatcher worker admin auditor",
    "case.read":      "dispatcher worker planner admin auditor",
    "plan.read":      "planner approver dispatcher admin auditor",
    "plan.draft":     "planner admin",
    "plan.edit":      "planner admin",
    "plan.comment":   "planner approver admin",
    "plan.submit":    "planner admin",
    "plan.withdraw":  "planner approver admin",
    "plan.send_back": "approver admin",
    "plan.approve":   "approver admin",
    "plan.publish":   "approver admin",
    "import.read":    "planner approver admin auditor",
    "import.run":     "planner admin",
    "import.undo":    "planner admin",
    "job.read":       "planner approver admin auditor",
    "job.run":        "planner admin",
    "alias.read":     "dispatcher planner approver admin auditor",
    "alias.propose":  "dispatcher planner admin",
    "alias.agree":    "planner admin",
    "account.manage": "admin",
    "audit.read":     "admin auditor",
}
"""Roles an action is open to; ``public`` is a role everybody has. No route is of ``alias.agree``: a name proposed or
confirmed by whoever may needs nobody else."""

ROUTES: dict[str, str] = {
    "GET /":                                 "read.public",
    "GET /m":                                "read.public",
    "GET /docs":                             "read.public",
    "GET /healthz":                          "read.public",
    "GET /readyz":                           "read.public",
    "GET /api/v1/openapi.json":              "read.public",
    "MOUNT /static":                         "read.public",
    "GET /api/v1/locate":                    "read.public",
    "POST /api/v1/locate":                   "read.public",
    "POST /api/v1/locate/batch":             "read.public",
    "GET /api/v1/resolve":                   "read.public",
    "POST /api/v1/resolve":                  "read.public",
    "GET /api/v1/suggest":                   "read.public",
    "GET /api/v1/evidence/{slip}":           "read.public",
    "POST /api/v1/evidence/{slip}":          "read.public",
    "GET /api/v1/overview":                  "read.public",
    "GET /api/v1/districts":                 "read.public",
    "GET /api/v1/communities":               "read.public",
    "GET /api/v1/grids":                     "read.public",
    "GET /api/v1/grids/{code}":              "read.public",
    "GET /api/v1/grids/{code}/history":      "read.public",
    "GET /api/v1/grids/{code}/lineage":      "read.public",
    "GET /api/v1/plans":                     "read.public",
    "GET /api/v1/plans/{number}":            "read.public",
    "GET /api/v1/plans/{number}/details":     "plan.read",
    "GET /api/v1/plans/{number}/compare":     "plan.read",
    "GET /api/v1/plans/{number}/reasons":     "plan.read",
    "POST /api/v1/plans":                     "plan.draft",
    "POST /api/v1/plans/roll-back":           "plan.draft",
    "POST /api/v1/plans/{number}/moves":      "plan.edit",
    "POST /api/v1/plans/{number}/undo":       "plan.edit",
    "POST /api/v1/plans/{number}/lock":       "plan.edit",
    "POST /api/v1/plans/{number}/unlock":     "plan.edit",
    "POST /api/v1/plans/{number}/rebase":     "plan.edit",
    "POST /api/v1/plans/{number}/comments":   "plan.comment",
    "POST /api/v1/plans/{number}/submit":     "plan.submit",
    "POST /api/v1/plans/{number}/send-back":  "plan.send_back",
    "POST /api/v1/plans/{number}/approve":    "plan.approve",
    "POST /api/v1/plans/{number}/publish":    "plan.publish",
    "POST /api/v1/plans/{number}/withdraw":   "plan.withdraw",
    "GET /api/v1/base":                      "read.public",
    "GET /base/{z}/{x}/{y}":                 "read.public",
    "GET /api/v1/layers":                    "read.public",
    "GET /api/v1/layers/{name}.geojson":     "read.public",
    "GET /ogc":                              "read.public",
    "GET /ogc/conformance":                  "read.public",
    "GET /ogc/api":                          "read.public",
    "GET /ogc/collections":                  "read.public",
    "GET /ogc/collections/{collection}":     "read.public",
    "GET /ogc/collections/{collection}/queryables": "read.public",
    "GET /ogc/collections/{collection}/sortables": "read.public",
    "GET /ogc/collections/{collection}/items": "read.public",
    "GET /ogc/collections/{collection}/items/{item}": "read.public",
    "GET /ogc/collections/{collection}/tiles": "read.public",
    "GET /ogc/collections/{collection}/tiles/WebMercatorQuad": "read.public",
    "GET /ogc/collections/{collection}/tiles/WebMercatorQuad/{zoom}/{row}/{column}": "read.public",
    "GET /ogc/tileMatrixSets":               "read.public",
    "GET /ogc/tileMatrixSets/{set}":         "read.public",
    "GET /tiles/style.json":                 "read.public",
    "GET /tiles/{collection}.json":          "read.public",
    "GET /tiles/{collection}/{zoom}/{column}/{row}.mvt": "read.public",
    "GET /api/v1/imports":                   "import.read",
    "POST /api/v1/imports":                 "import.run",
    "GET /api/v1/imports/{number}":          "import.read",
    "GET /api/v1/imports/{number}/refused.csv": "import.read",
    "GET /api/v1/imports/{number}/changes.csv": "import.read",
    "POST /api/v1/imports/{number}/undo":    "import.undo",
    "GET /api/v1/jobs":                      "job.read",
    "POST /api/v1/jobs":                     "job.run",
    "GET /api/v1/jobs/{number}":             "job.read",
    "GET /api/v1/jobs/{number}/events":      "job.read",
    "GET /api/v1/jobs/{number}/file":        "job.read",
    "POST /api/v1/jobs/{number}/cancel":     "job.run",
    "POST /api/v1/jobs/{number}/retry":      "job.run",
    "GET /api/v1/aliases":                   "alias.read",
    "POST /api/v1/aliases":                  "alias.propose",
    "POST /api/v1/aliases/{number}/confirm":  "alias.propose",
    "POST /api/v1/aliases/{number}/withdraw": "alias.propose",
    "GET /plans":                            "read.public",
    "GET /plans/{number}":                   "read.public",
    "GET /plans/{number}/map":               "plan.read",
    "POST /plans":                           "plan.draft",
    "POST /plans/rebalance":                 "job.run",
    "POST /plans/jobs/{number}/cancel":      "job.run",
    "POST /plans/{number}/open":             "plan.draft",
    "POST /plans/{number}/roll_back":        "plan.draft",
    "POST /plans/{number}/rebase":           "plan.edit",
    "POST /plans/{number}/comment":          "plan.comment",
    "POST /plans/{number}/submit":           "plan.submit",
    "POST /plans/{number}/send_back":        "plan.send_back",
    "POST /plans/{number}/approve":          "plan.approve",
    "POST /plans/{number}/publish":          "plan.publish",
    "POST /plans/{number}/withdraw":         "plan.withdraw",
    "GET /aliases":                          "alias.read",
    "POST /aliases":                         "alias.propose",
    "POST /aliases/{number}/confirm":        "alias.propose",
    "POST /aliases/{number}/withdraw":       "alias.propose",
    "GET /imports":                          "import.read",
    "POST /imports":                         "import.run",
    "GET /imports/{number}":                 "import.read",
    "POST /imports/{number}/undo":           "import.undo",
    "GET /sign-in":                          "session.open",
    "POST /sign-in":                         "session.open",
    "POST /sign-out":                        "session.own",
    "POST /api/v1/session":                  "session.open",
    "GET /api/v1/session":                   "session.own",
    "DELETE /api/v1/session":                "session.own",
    "GET /api/v1/accounts":                  "account.manage",
    "POST /api/v1/accounts":                 "account.manage",
    "PATCH /api/v1/accounts/{name}":         "account.manage",
    "PUT /api/v1/accounts/{name}/password":  "account.manage",
    "GET /api/v1/audit":                     "audit.read",
}
"""Action of every route, by method and template. One without a row is open to nobody.

`permit` guards FastAPI's routes, pages among them. It does not reach mounted folders and FastAPI's own description
of the API: those can only be public.
"""
# fmt: on

_ROLES = {action: frozenset(roles.split()) for action, roles in ACTIONS.items()}


def may(actor: Actor, action: str) -> bool:
    """Tell whether an actor's roles, and what everybody may, take in an action."""
    return not _ROLES[action].isdisjoint(actor.roles | PUBLIC.roles)


async def permit(request: Request) -> None:
    """Let a request through to its route, and put who asks at ``request.state.actor``.

    A token is not looked at where a new one is asked for, so that an old one never stands in the way.

    Raises
    ------
    SignInError
        If the token is not good, or there is none and the public may not.
    ForbiddenError
        If the roles, the scope or the origin do not allow it, or the route has no row. What everybody may read is
        not withheld from anybody for its scope.
    """
    scope = request.scope
    scope.setdefault("state", {}).update(signed_in=None, actor=PUBLIC)
    action = ROUTES.get(f"{scope['method']} {scope['route'].path}")
    if action is None:
        raise ForbiddenError("This is open to nobody.", "It has no row in the table of permissions.")
    if scope["method"] == "GET" and action == "read.public" and not auth.credentials(request):
        return  # most requests are such, and nothing else is to be looked at
    auth.check_origin(request)
    found = None if action == "session.open" else await _identified(request, action)
    actor = accounts.actor_of(found.account) if found else PUBLIC
    request.state.signed_in, request.state.actor = found, actor
    if may(PUBLIC, action):
        return
    if found is None:
        raise SignInError("This needs a sign-in.", f"POST /api/v1/session, or open {auth.SIGN_IN}.")
    if not may(actor, action):
        raise ForbiddenError(
            f"The roles of {actor.id} do not take in {action}.", "Ask an administrator for another role."
        )
    named = request.query_params.get("district")
    if named is not None:
        check_scope(actor, named)


async def _identified(request: Request, action: str) -> SignedIn | None:
    """Return who is signed in; while the database is lost, staff are told from memory what the public is."""
    try:
        return await auth.identify(request)
    except (SetupError, OperationalError):
        if action == "read.public":
            return None
        raise
