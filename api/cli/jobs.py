"""``gridgov job``: what runs apart, and how it stands."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from api.cli.console import (
    DistrictOption,
    JsonOption,
    chosen,
    hint,
    opened,
    out,
    print_json,
    print_pairs,
    print_rows,
    progress,
)
from api.kinds import named
from data import jobs as stored
from data.jobs import Job
from data.settings import Settings
from etl.actor import operator
from etl.jobs import cancel, retry, run_here, submit
from geo.errors import InputError

app = typer.Typer(no_args_is_help=True, add_completion=False)

NumberArgument = Annotated[int, typer.Argument(help="Number of the job (任务号).", min=1)]


@app.callback()
def group() -> None:
    """Hold the verbs of jobs."""


@app.command("list", epilog="Examples: gridgov job list   ·   gridgov job list --state failed --json")
def list_(
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind.")] = None,
    state: Annotated[str | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most this many.")] = 50,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """List jobs, the newest first (任务列表)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            found = stored.every(connection, code, kind=kind, state=state, limit=limit)
    if json:
        print_json(found)
        return
    rows = [
        (job.id, job.kind, job.state, f"{job.percent}%", job.actor["id"], job.created_at, job.finished_at)
        for job in found
    ]
    headers = (
        "No. · 号",
        "Kind · 类型",
        "State · 状态",
        "Done · 进度",
        "Asked by · 发起人",
        "Asked · 发起",
        "Finished · 结束",
    )
    print_rows(f"Jobs of {code} · 任务", headers, rows)


@app.command(epilog="Example: gridgov job show 12 --json")
def show(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Show one job: how far it is, what it made, why it failed (任务详情)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            job = stored.get(connection, code, number)
    _print(job, json)


@app.command("cancel", epilog="Example: gridgov job cancel 12")
def cancel_(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """End a job: at once if it waits, soon if it is being done (取消任务)."""
    settings = Settings()
    with opened(settings) as store:
        _print(cancel(store, operator(), chosen(store, settings, district).code, number), json)


@app.command("retry", epilog="Example: gridgov job retry 12")
def retry_(number: NumberArgument, district: DistrictOption = None, json: JsonOption = False) -> None:
    """Have a worker do a job once more that failed or was cancelled (重试任务)."""
    settings = Settings()
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        with store.read(code) as connection:
            kind = named(settings, stored.get(connection, code, number).kind)
        _print(retry(store, operator(), code, kind, number), json)


@app.command(
    epilog="Examples: gridgov job run rebalance seed=3   ·   gridgov job run export_overview plan=2 --queue"
)
def run(
    kind: Annotated[str, typer.Argument(help="Kind of job (任务类型).")],
    params: Annotated[list[str] | None, typer.Argument(help="Its parameters: name=value ...")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker and return at once.")] = False,
    district: DistrictOption = None,
    json: JsonOption = False,
) -> None:
    """Do a job here, with a progress bar, or leave it to a worker (执行任务)."""
    settings = Settings()
    wanted, asked = named(settings, kind), _read(params or [])
    with opened(settings) as store:
        code = chosen(store, settings, district).code
        if queue:
            _print(submit(store, operator(), code, wanted, asked), json)
            return
        with progress() as listener:
            report = run_here(store, operator(), code, wanted, asked, listener, settings.files)
    print_json(report)


def _read(params: list[str]) -> dict[str, Any]:
    """Read ``name=value`` where a value is JSON, or else text."""
    read: dict[str, Any] = {}
    for param in params:
        name, given, value = param.partition("=")
        if not given:
            raise InputError(f"'{param}' is no parameter.", "Write name=value.")
        try:
            read[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            read[name] = value
    return read


def _print(job: Job, json: bool) -> None:
    if json:
        print_json(job)
        return
    pairs = {
        "State · 状态": job.state,
        "Done · 进度": f"{job.percent}%",
        "Stage · 阶段": job.stage,
        "Message · 说明": job.message,
        "Asked by · 发起人": job.actor["id"],
        "Asked · 发起": job.created_at,
        "Begun · 开始": job.started_at,
        "Finished · 结束": job.finished_at,
        "Attempts · 次数": job.attempts,
    }
    print_pairs(f"Job {job.id} · {job.kind}", pairs)
    if job.error:
        out.print(job.error["fault"])
        hint(job.error["remedy"])
    if job.result:
        print_json(job.result)
