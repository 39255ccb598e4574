"""What colours and words mean: ``web/legend.json``, read alike by the folium pages and the web pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from geo import answers
from geo.withheld import WITHHELD_BELOW

WEB = Path(__file__).parent / "web"


class Words(answers.Words):
    """One saying in both languages; a page holds both and shows one (``html[lang]``, see app.css)."""

    __slots__ = ()

    @property
    def html(self) -> Markup:
        """Both languages as HTML, escaped."""
        return Markup("<span lang=zh-CN>{}</span><span lang=en>{}</span>").format(self.zh, self.en)


@dataclass(frozen=True)
class Grade:
    """A class of grids by a number: of households, by their deviation from the target, or of metres.

    It holds from ``low`` to ``high``, both included; None is open. Fill and pattern say the same, so that the
    class is told without seeing colours. The class of numbers that are not told has neither end.
    """

    name: str
    words: Words
    low: int | None
    high: int | None
    fill: str
    ink: str | None
    pattern: str | None
    gap: int
    unit: str = ""

    @property
    def range(self) -> str:
        """Numbers of the class, as digits; empty where they are not told."""
        if self.low is None and self.high is None:
            return ""
        if self.low is None:
            return f"≤ {self.high}{self.unit}"
        return f"≥ {self.low}{self.unit}" if self.high is None else f"{self.low}–{self.high}{self.unit}"

    @property
    def paint(self) -> str:
        """Value of an SVG ``fill``: the pattern that the page defines for the class, or the plain colour."""
        return f"url(#{self.name})" if self.pattern else self.fill


@lru_cache(maxsize=1)
def _legend() -> Mapping[str, Any]:
    legend: Mapping[str, Any] = json.loads((WEB / "legend.json").read_text(encoding="utf-8"))
    return legend


def words(subject: str, key: object) -> Words:
    """Return the words for a stored value such as ``("state", "open")``; an unknown one speaks for itself."""
    entry = _legend()["words"][subject].get(key)
    return Words(entry["zh"], entry["en"]) if entry else Words(str(key), str(key))


def sign(subject: str, key: object) -> str:
    """Return the one character that marks a kind of point on the map."""
    return str(_legend()["words"][subject].get(key, {}).get("sign", "●"))


def deviations(target: int, tolerance_percent: int) -> tuple[Grade, ...]:
    """Return the classes of deviation from few households to many, then the one of withheld counts.

    Their bounds are multiples of the tolerance: in band, up to 2.5 and up to 5 times as far. Classes that no
    number of households falls into are left out.
    """
    step = target * tolerance_percent / 100
    classes = []
    for entry in _legend()["deviation"]:
        low, high = _ends(entry, target, step)
        if high is None or high >= WITHHELD_BELOW:
            classes.append(_grade(entry, low, high))
    return (*classes, _grade(_legend()["withheld"], None, None))


def distances() -> tuple[Grade, ...]:
    """Return the classes of distance to a site from near to far, then the one of grids without buildings."""
    near = [_grade(entry, entry["from"], entry["to"], " m") for entry in _legend()["distance"]]
    return (*near, _grade(_legend()["empty"], None, None))


def public_count(households: int | None) -> int | None:
    """Return a count that anybody may see; None where it is withheld."""
    return None if households is None or households < WITHHELD_BELOW else households


def grade_of(number: float | None, classes: tuple[Grade, ...]) -> Grade:
    """Return the class of a grid by its number; None is one that is not told."""
    if number is None:
        return classes[-1]
    return next(c for c in classes if c.high is None or number <= c.high)


def _ends(entry: Mapping[str, Any], target: int, step: float) -> tuple[int | None, int | None]:
    """First and last whole number of households of a class; the ends of the band belong to the band."""
    low, high = entry["from"], entry["to"]
    first = None if low is None else _first_beyond(target + low * step, inclusive=low < 0)
    after = None if high is None else _first_beyond(target + high * step, inclusive=high < 0)
    return first, None if after is None else after - 1


def _first_beyond(bound: float, *, inclusive: bool) -> int:
    """Smallest whole number from ``bound`` on, or after it."""
    whole = int(-(-round(bound, 6) // 1))
    return whole if inclusive or whole > round(bound, 6) else whole + 1


def _grade(entry: Mapping[str, Any], low: int | None, high: int | None, unit: str = "") -> Grade:
    return Grade(
        name=entry["name"],
        words=Words(entry["zh"], entry["en"]),
        low=low,
        high=high,
        fill=entry["fill"],
        ink=entry["ink"],
        pattern=entry["pattern"],
        gap=entry["gap"],
        unit=unit,
    )
