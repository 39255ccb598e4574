"""Answers as JSON: what is told of a grid and of a plan is written once, and joined for each answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from orjson import Fragment

from api import schemas
from api.stamp import stamp
from geo.answers import BETTER_POSITION, NEXT_STEP, REASONS, Alternative, Answer, Grid, OnDuty, Site, Words
from geo.locate import Locator

Headers = list[tuple[bytes, bytes]]

Names = Mapping[str, tuple[OnDuty, ...]]
"""Who is on duty, by grid code, with names and phones."""


def _written(value: Any) -> Fragment:
    return Fragment(orjson.dumps(value))


_REASONS = {reason: _written({"code": reason, **words._asdict()}) for reason, words in REASONS.items()}
_STEPS = {words: _written(words._asdict()) for words in (*NEXT_STEP.values(), BETTER_POSITION)}


class Teller:
    """Writes the answers of one locator; the model of what it writes is `api.schemas.Answer`.

    Parameters
    ----------
    locator : Locator
        What the answers are of.
    names : mapping of str to tuple of OnDuty
        For staff. The locator knows no names, so nobody else can be told them by mistake.

    Attributes
    ----------
    headers : list of (bytes, bytes)
        Of every answer.
    """

    def __init__(self, locator: Locator, names: Names) -> None:
        self.locator = locator
        register = locator.register
        self._names = names
        self._plan = Fragment(schemas.Plan.model_validate(register.plan).model_dump_json())
        self._district = _written(register.district)
        change = register.plan.change
        self._change = change and Fragment(schemas.change(change, None, None).model_dump_json())
        self._grids: dict[tuple[str, bool], Fragment] = {}
        self._sites: dict[int, Fragment] = {}
        said = {**stamp(register.plan.number, register.data_version), "Cache-Control": "no-store"}
        self.headers: Headers = [
            (b"content-type", b"application/json"),
            *((name.lower().encode(), value.encode()) for name, value in said.items()),
        ]

    def tell(
        self,
        answer: Answer,
        *,
        staff: bool = False,
        then: Answer | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write an answer.

        Parameters
        ----------
        staff : bool
            Whether workers on duty are named.
        then : Answer, optional
            What will be answered once the next plan is in force.
        more : mapping, optional
            Parts that were asked for beside the default: ``sites``, ``evidence``.
        """
        change = self._change
        if then is not None and answer.plan.change is not None:
            change = Fragment(schemas.change(answer.plan.change, answer, then).model_dump_json())
        told: dict[str, Any] = {
            "status": answer.status,
            "next_step": _step(answer.next_step),
            "reasons": [_REASONS[reason] for reason in answer.reasons],
            "pending": answer.pending,
            "district": self._district,
            "plan": self._plan,
            "data_version": answer.data_version,
            "next_change": change,
            "grid": answer.grid and self._grid(answer.grid, staff),
            "building": answer.building,
            "entrance": answer.entrance,
            "alternatives": [self._alternative(other, staff) for other in answer.alternatives],
            "border_m": _metres(answer.border_m),
            "outside_m": _metres(answer.outside_m),
            "probabilities": answer.probabilities,
            "confidence": answer.confidence,
            "precision": answer.precision,
            "faults": [
                {"code": fault.code, "weight": fault.weight, **fault.words._asdict()}
                for fault in answer.faults
            ],
            "spans": answer.spans,
        }
        if more:
            told.update(more)
        return orjson.dumps(told)

    def sites(self, answer: Answer) -> list[dict[str, Any]]:
        """Return the part of an answer that names the nearest sites."""
        return [
            {
                "service": near.service,
                "distance_m": _metres(near.distance_m),
                "site": self._site(near.site),
            }
            for near in self.locator.nearest_sites(answer)
        ]

    def _site(self, site: Site) -> Fragment:
        found = self._sites.get(id(site))  # the locator keeps them
        if found is None:
            found = self._sites[id(site)] = _written(site)
        return found

    def _alternative(self, other: Alternative, staff: bool) -> dict[str, Any]:
        return {
            "grid": self._grid(other.grid, staff),
            "building": other.building,
            "distance_m": _metres(other.distance_m),
            "probability": other.probability,
            "confidence": other.confidence,
        }

    def _grid(self, grid: Grid, staff: bool) -> Fragment:
        found = self._grids.get((grid.code, staff))
        if found is None:
            workers = self._names.get(grid.code, ()) if staff else None
            found = Fragment(schemas.grid(grid, workers).model_dump_json())
            self._grids[grid.code, staff] = found
        return found


def _step(words: Words) -> Fragment:
    return _STEPS[words]


def _metres(length: float | None) -> float | None:
    return None if length is None else round(length, 1)
