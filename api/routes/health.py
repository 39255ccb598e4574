"""Whether the process is alive, and whether it can serve."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.params import Serving
from data import migrate
from data.session import Store

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Whether the process can serve, and what is missing."""

    ready: bool
    loaded: bool = Field(description="What is served was read from the database.")
    database: bool = Field(description="It can be reached.")
    migrated: bool = Field(description="It has the schema this version needs.")
    districts: dict[str, int | None] = Field(
        description="Plan each district is served from; empty before the first import.",
        examples=[{"340504": 3}],
    )


@router.get("/healthz", summary="Alive?")
async def healthz() -> Alive:
    """Tell that the process is alive."""
    return Alive()


@router.get("/readyz", summary="Ready?", responses={503: {"model": Ready, "description": "Not ready."}})
def readyz(response: Response, state: Serving) -> Ready:
    """Tell whether the database is reached and migrated, and from which plan each district is served."""
    database, migrated = _database(state.store)
    ready = database and migrated and state.loaded
    response.status_code = 200 if ready else 503
    plans = {served.district.code: served.edition.plan for served in state.every()}
    return Ready(ready=ready, loaded=state.loaded, database=database, migrated=migrated, districts=plans)


def _database(store: Store) -> tuple[bool, bool]:
    """Return whether the database can be reached and whether it is migrated."""
    newest = ScriptDirectory.from_config(migrate.config()).get_current_head()
    try:
        with store.engine.connect() as connection:
            return True, MigrationContext.configure(connection).get_current_revision() == newest
    except SQLAlchemyError:
        return False, False
