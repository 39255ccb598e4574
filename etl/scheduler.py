"""Balance on the processes of a Dask scheduler, regions or whole districts at a time.

Every worker must have this very program installed; whoever reaches a scheduler can run code on its workers, so
that it belongs on a trusted network, or behind TLS (as Dask's own configuration sets it).
"""

from __future__ import annotations

import hashlib
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import geo
from etl.compiled import keep_kernels
from geo.balance import STABLE, Problem, Profile, Proposal, balance, never
from geo.balance.engine import Run, Solve
from geo.balance.problem import Ints
from geo.balance.search import Task
from geo.balance.solve import solve
from geo.errors import InputError, SetupError, UnavailableError

Load = Callable[[], Problem]
"""Reads or makes a district's problem wherever it is called; goes to another process as it is."""
Given = TypeVar("Given")
Answer = TypeVar("Answer")

CONNECT_S = 5.0
"""How long a scheduler may take to answer, and its first worker to be there."""
LOST_S = 30.0
"""How long there may be no worker at all: one that died is started anew in a few seconds."""
POLL_S = 0.5
AHEAD = 3
"""Tasks that a thread of a worker is given before it has finished the first."""

SAME_EVERYWHERE = (
    "Install the same gridgov and libraries here and on all machines of the scheduler, then start it anew."
)

_first_task = threading.Lock()


def dask_run(address: str, should_stop: Callable[[], bool] = never) -> Run:
    """Make what `geo.balance.balance` takes as ``run``: regions solved by a scheduler's workers.

    The answers are those of a run in one process, byte for byte: a region's depends on its task alone, a task of
    a worker that dies is given to another, and workers of another version are refused. Heavy regions go first;
    at most `AHEAD` tasks a thread are under way. Leaving early drops what is under way.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.5:8786``. It is connected to when the run begins.
    should_stop : callable
        Asked about twice a second; once it answers True, the regions that nobody has solved yet keep today's
        grids, repaired.

    Raises
    ------
    SetupError
        From the run, when Dask is not installed here, or the scheduler or a worker has another version of what decides
        the answer.
    UnavailableError
        From the run, when the scheduler cannot be reached, has no worker, or loses them.
    InputError
        From the run, when the address is none.
    """

    def run(_: Solve, tasks: Sequence[Task]) -> Iterator[tuple[Ints, bool]]:
        order = sorted(range(len(tasks)), key=lambda number: -len(tasks[number].region.cells))
        early: dict[int, tuple[Ints, bool]] = {}
        due = 0
        with _connected(address) as client:
            heaviest_first = (tasks[number] for number in order)
            answers = _in_turn(client, solve, heaviest_first, len(tasks), should_stop)
            for number, answer in zip(order, answers, strict=False):
                early[number] = answer
                while due in early:
                    yield early.pop(due)
                    due += 1
        if due < len(tasks):
            keep_kernels()
        for number in range(due, len(tasks)):
            yield early[number] if number in early else solve(tasks[number], _at_once)

    return run


def balance_many(
    loaders: Iterable[Load],
    *,
    address: str | None = None,
    profile: Profile = STABLE,
    seed: int = 0,
    effort: int = 1,
    should_stop: Callable[[], bool] = never,
) -> Iterator[Proposal]:
    """Balance districts one after another, or many at a time on a scheduler's workers.

    Parameters
    ----------
    loaders : iterable of callable
        One for each district, called where it is balanced; taken one by one as there is room, so that memory
        holds a few districts however many there are.
    address : str, optional
        Of a Dask scheduler; without it the districts are balanced in this process.
    profile, seed, effort
        As for `geo.balance.balance`.
    should_stop : callable
        Once it answers True, no further proposal comes.

    Yields
    ------
    Proposal
        Of each district in order, the same wherever it was made.

    Raises
    ------
    BalanceError
        As `geo.balance.balance` does.
    SetupError, UnavailableError, InputError
        As the runs of `dask_run` do.
    """
    district = partial(_district, profile=profile, seed=seed, effort=effort)
    if address is not None:
        with _connected(address) as client:
            yield from _in_turn(client, district, iter(loaders), None, should_stop)
        return
    keep_kernels()
    for load in loaders:
        proposal = district(load, should_stop=should_stop)
        if should_stop():
            return
        yield proposal


def _district(
    load: Load, should_stop: Callable[[], bool] = never, *, profile: Profile, seed: int, effort: int
) -> Proposal:
    return balance(load(), profile=profile, seed=seed, effort=effort, should_stop=should_stop)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Connect to a scheduler that has workers, all of this version."""
    try:
        from distributed import Client
    except ImportError as error:
        raise SetupError(
            "A scheduler was given, but Dask is not installed.",
            'Install the extra "scale" (pip install ".[scale]"), or leave the scheduler out.',
        ) from error
    remedy = "Start it with dask scheduler, and its workers with dask worker, or leave the scheduler out."
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except OSError as error:
        raise UnavailableError(f"No scheduler answers at {address}.", remedy) from error
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{address} is no address of a scheduler.", "Give one such as tcp://10.0.0.5:8786."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
        except TimeoutError as error:
            raise UnavailableError(f"The scheduler at {address} has no workers.", remedy) from error
        _check_versions(client)
        yield client


def _check_versions(client: Any) -> None:
    """Refuse a scheduler, which unpacks what it hands on, and workers of another version."""
    try:
        state = client.run_on_scheduler(made_of)
    except (ImportError, AttributeError):
        state = None
    if state != made_of():
        raise SetupError("The scheduler has another version of gridgov, or none.", SAME_EVERYWHERE)
    states = client.run(made_of, on_error="return")
    # A worker that cannot be asked is going; one that comes is asked with its first task.
    differing = sorted(
        each for each, state in states.items() if state != made_of() and not isinstance(state, OSError)
    )
    if differing:
        raise SetupError(
            f"{len(differing)} of {len(states)} workers have another version of gridgov, or none; "
            f"the first is {differing[0]}.",
            SAME_EVERYWHERE,
        )


@cache
def made_of() -> str:
    """Digest what decides an answer: the sources, and the libraries that compute."""
    versions = [version(name) for name in ("numba", "numpy", "scipy")]
    digest = hashlib.sha256(" ".join([geo.__version__, platform.python_version(), *versions]).encode())
    sources = Path(geo.__file__).parent
    for source in sorted(sources.rglob("*.py")):
        digest.update(source.relative_to(sources).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _in_turn(
    client: Any,
    function: Callable[..., Answer],
    tasks: Iterator[Given],
    kept: int | None,
    should_stop: Callable[[], bool],
) -> Iterator[Answer]:
    """Apply a function on the workers, and give the answers in the order of the tasks, until told to stop.

    ``kept`` answers may wait for their turn here, however few tasks are under way; as many as these by default.
    """
    from distributed import wait

    busy = AHEAD * max(1, sum(client.nthreads().values()))
    most, flying = kept or busy, deque[Any]()
    seen = time.monotonic()
    while not should_stop():
        under_way = [future for future in flying if not future.done()]
        room = min(busy - len(under_way), most - len(flying))
        for task in _next(tasks, room):
            future = client.submit(_work, function, task, made_of(), pure=False)
            flying.append(future)
            under_way.append(future)
        if not flying:
            return
        if flying[0].done():
            yield _answer(flying.popleft())
            continue
        with _lost():
            try:
                with client.as_current():
                    wait(under_way, timeout=POLL_S, return_when="FIRST_COMPLETED")
                seen = time.monotonic()
            except TimeoutError:
                seen = _still_there(client, seen)


def _next(tasks: Iterator[Given], most: int) -> Iterator[Given]:
    for _ in range(most):
        try:
            yield next(tasks)
        except StopIteration:
            return


def _still_there(client: Any, seen: float) -> float:
    """Give the time workers were last seen; too long ago is an error."""
    if client.nthreads():
        return time.monotonic()
    if time.monotonic() - seen > LOST_S:
        raise UnavailableError("The scheduler has lost all its workers.", "Start workers, then try again.")
    return seen


def _answer(future: Any) -> Any:
    with _lost():
        return future.result()


@contextmanager
def _lost() -> Iterator[None]:
    """Put into words that the scheduler, or worker after worker, was lost."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise UnavailableError(
            "Workers died one after another on the same task.",
            "Give the workers more memory, then try again.",
        ) from error
    except (CancelledError, CommClosedError) as error:
        raise UnavailableError(
            "The scheduler was lost.", "See whether it runs, then try again; nothing was changed."
        ) from error


def _work(function: Callable[..., Answer], task: Given, digest: str) -> Answer:
    """Carry out one task, on a worker: the first of a process reads or compiles the kernels."""
    if digest != made_of():  # a worker that joined after the others were asked
        raise SetupError("A worker has another version of gridgov.", SAME_EVERYWHERE)
    with _first_task:
        keep_kernels()
    return function(task, should_stop=_unwanted)


def _unwanted() -> bool:
    """Leave a task that nobody waits for any more.

    It is left by an error and never by True: the best so far must not pass for the answer.
    """
    from distributed import Reschedule, get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    if task is None or task.state == "cancelled":
        raise Reschedule
    return False


def _at_once() -> bool:
    return True
