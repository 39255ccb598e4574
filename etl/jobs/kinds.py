"""What a kind of job is: its parameters, what carries it out, and how its stages make up the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from data.session import Store
from etl.actor import Actor
from geo.errors import InputError
from geo.progress import Progress

Params = TypeVar("Params", bound=BaseModel)


@dataclass(frozen=True)
class Work(Generic[Params]):
    """What a job is carried out with.

    Attributes
    ----------
    store : Store
        The database; what is put on record through it names the job.
    actor : Actor
        Who asked for the job.
    district : str
        Code of the district.
    params : Params
        What was asked, checked.
    progress : Progress
        To be called now and then: it writes down how far the job is, and raises when it should end.
    files : Path
        Folder for files that are a job's result.
    job : int
        Number of the job.
    """

    store: Store
    actor: Actor
    district: str
    params: Params
    progress: Progress
    files: Path
    job: int


@dataclass(frozen=True)
class Kind(Generic[Params]):
    """A kind of job.

    Attributes
    ----------
    name : str
        What it is asked for by.
    title : str
        What people read, Chinese and English.
    params : type of Params
        A pydantic model of what can be asked.
    run : callable
        Carries a job out by one use case and returns its report: a dataclass or plain JSON.
    stages : mapping of str to float
        Stages it tells of, in their order, with their share of the time.
    act : str, optional
        Action its use case puts on record; None where doing it twice is harmless.
    retryable : bool
        Whether one that failed can be done again: what it needs is still there.
    """

    name: str
    title: str
    params: type[Params]
    run: Callable[[Work[Params]], Any]
    stages: Mapping[str, float] = field(default_factory=dict)
    act: str | None = None
    retryable: bool = True

    def checked(self, params: Mapping[str, Any]) -> Params:
        """Read what is asked.

        Raises
        ------
        InputError
            If it is not what this kind of job takes.
        """
        try:
            return self.params.model_validate(params)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "params"
            raise InputError(
                f"A job {self.name} cannot be asked for like this: {where}: {first['msg']}.",
                f"It takes: {', '.join(self.params.model_fields) or 'no parameters'}.",
            ) from error

    def percent(self, stage: str, share: float) -> int:
        """Return how much of the whole is done, 0 to 99, when a share of a stage is; 0 for an unknown stage."""
        if stage not in self.stages:
            return 0
        names = list(self.stages)
        before = sum(self.stages[name] for name in names[: names.index(stage)])
        done = (before + self.stages[stage] * min(max(share, 0.0), 1.0)) / sum(self.stages.values())
        return min(int(100 * done), 99)
