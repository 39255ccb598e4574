"""``gridgov worker``: carries jobs out."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from api.cli.console import opened, out
from api.kinds import DAILY, kinds
from api.worker import end_with_parent
from data.settings import Settings
from etl.jobs.worker import Worker

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples: gridgov worker   ·   gridgov worker --parallel 1")
def worker(
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Jobs at a time.")] = 2,
    beside_server: Annotated[bool, typer.Option("--beside-server", hidden=True)] = False,
) -> None:
    """Carry out jobs until Ctrl-C, which gives unfinished ones back to the queue (执行后台任务)."""
    if beside_server:
        end_with_parent()
    settings = Settings()
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("gridgov").setLevel(logging.INFO)
    with opened(settings) as store:
        hands = Worker(store, kinds(settings), settings.files, parallel=parallel, daily=DAILY)
        if not beside_server:
            out.print("The worker is ready; Ctrl-C stops it · 执行器已就绪，按 Ctrl-C 停止")
        try:
            hands.run()
        except KeyboardInterrupt:
            hands.stop()
