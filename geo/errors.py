"""The one exception tree of the project.

::

    GridgovError                    something a person can mend; never shown with a traceback
    ├── InputError                  what was given is wrong: names the fault and the remedy
    │   ├── CoordinateError         a coordinate or coordinate system that cannot be used
    │   │   └── UnstatedError       no system was stated; carries what the numbers would be in each
    │   ├── TooMuchError            more was given than is taken at once
    │   └── RefusedError            a batch was refused as a whole; nothing was changed
    ├── SignInError                 nobody is signed in, or not with what was given
    ├── ForbiddenError              whoever acts may not do this, or not here
    ├── NotFoundError               a named thing does not exist
    ├── ConflictError               the act clashes with what is stored
    │   ├── StaleError              the thing was changed by somebody else meanwhile
    │   └── CheckError              a plan breaks rules; carries the list of problems
    ├── BalanceError                a balancing problem that cannot be posed or solved
    └── SetupError                  the machine, the database or a setting is not ready
        ├── ClusterError            the embedded PostgreSQL cannot be found, made or started
        └── UnavailableError        not ready yet; trying again later is right
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class GridgovError(Exception):
    """Base of every error that is told to a person in one message.

    Parameters
    ----------
    fault : str
        What is wrong, as one sentence.
    remedy : str, optional
        What the reader can do about it, as one sentence.
    """

    def __init__(self, fault: str, remedy: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.fault} {self.remedy}".rstrip()


class InputError(GridgovError):
    """What was given is wrong."""


class CoordinateError(InputError):
    """A coordinate or a coordinate system cannot be used."""


class UnstatedError(CoordinateError):
    """No coordinate system was stated.

    Parameters
    ----------
    candidates : sequence of mapping
        One for each system in which the numbers are possible, the likeliest first: ``crs``, ``lon`` and ``lat``
        (EPSG:4326), ``status``, ``grid`` and ``outside_m`` as they would be answered.
    """

    def __init__(self, fault: str, remedy: str, candidates: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(fault, remedy)
        self.candidates = list(candidates)


class TooMuchError(InputError):
    """More was given than is taken at once."""


class RefusedError(InputError):
    """A batch was refused as a whole; nothing was changed."""


class SignInError(GridgovError):
    """Nobody is signed in, or the name, password or token given is not right."""


class ForbiddenError(GridgovError):
    """Whoever acts may not do this, or not in this district."""


class NotFoundError(GridgovError):
    """A named thing does not exist."""


class ConflictError(GridgovError):
    """The act clashes with what is stored."""


class StaleError(ConflictError):
    """The thing was changed by somebody else meanwhile.

    Parameters
    ----------
    fault, remedy : str
        As for `GridgovError`.
    changes : sequence of mapping
        What was changed, where it is known.
    """

    def __init__(self, fault: str, remedy: str = "", changes: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(fault, remedy)
        self.changes = list(changes)


class CheckError(ConflictError):
    """A plan breaks rules.

    Parameters
    ----------
    fault, remedy : str
        As for `GridgovError`.
    problems : sequence of str
        One line a broken rule.
    """

    def __init__(self, fault: str, remedy: str = "", problems: Sequence[str] = ()) -> None:
        super().__init__(fault, remedy)
        self.problems = list(problems)


class BalanceError(GridgovError):
    """A balancing problem cannot be posed or solved."""


class SetupError(GridgovError):
    """The machine, the database or a setting is not ready."""


class ClusterError(SetupError):
    """The embedded PostgreSQL cannot be found, made or started."""


class UnavailableError(SetupError):
    """Not ready yet; trying again later is right."""
