"""A server of its own process for the tests: ``python -m tests.api.server PORT``, on ``GRIDGOV_DATABASE_URL``.

Beside all that the application serves, POST /write publishes a return to the plan before the one in force, now
or after ``?in_s=`` seconds, and answers as every write does: once this process serves it.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from api.app import create_app
from api.fresh import written
from api.protocol import Protocol
from data.session import Store
from data.settings import Settings
from etl.actor import SYSTEM
from etl.drafts import roll_back
from etl.publish import publish_as_system

CODE = "990001"


def main() -> None:
    store = Store(os.environ["GRIDGOV_DATABASE_URL"], pool_size=4)
    app = create_app(store, Settings(worker="none"))

    def publish(in_s: float | None) -> Response:
        number = roll_back(store, SYSTEM, CODE).number
        at = datetime.now(UTC) + timedelta(seconds=in_s) if in_s else None
        report = publish_as_system(store, SYSTEM, CODE, number, waive="test", at=at)
        return written(app.state.served, CODE, report)

    async def write(request: Request) -> Response:
        in_s = request.query_params.get("in_s")
        return await run_in_threadpool(publish, float(in_s) if in_s else None)

    front = Starlette(
        routes=[Route("/write", write, methods=["POST"]), Mount("/", app)],
        lifespan=lambda _: app.router.lifespan_context(app),
    )
    uvicorn.run(front, port=int(sys.argv[1]), http=Protocol, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
