"""What would help a container that no plan can have all in band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from geo.balance.bounds import ContainerBound, Naming, grids_of
from geo.balance.lands import Lands
from geo.balance.problem import Problem
from geo.balance.reach import Ground


class Kind(StrEnum):
    """What is advised."""

    ONE_GRID_MORE = "one_grid_more"
    ONE_GRID_FEWER = "one_grid_fewer"
    JOIN_CONTAINER = "join_container"
    WAIVER = "waiver"


class Effect(StrEnum):
    """Whether all grids can be in band then: some plan does it, nothing known keeps it from it, no plan does."""

    WILL = "will"
    MAY = "may"
    NOT = "not"


@dataclass(frozen=True)
class Advice:
    """One thing that could be done for a container, and whether it would do.

    Parameters
    ----------
    kind : Kind
    effect : Effect
        One grid more and one fewer are named even when they do not help, so that nobody need try them.
    container : int
    other : int or None
        The container to join it with, where that is the advice; its present neighbour.
    same_community : bool
        Whether only a barrier lies between the two, not the border of a community.
    grids : int
        Grids of the container, or of both, after the advice is taken; of a waiver, how many are let off.
    weight : int
        What is balanced of the container, or of both.
    """

    kind: Kind
    effect: Effect
    container: int
    other: int | None
    same_community: bool
    grids: int
    weight: int

    @property
    def mean(self) -> int:
        """Mean weight of a grid after the advice is taken."""
        return round(self.weight / self.grids)

    def chinese(self, name: Naming) -> str:
        """Say it in Chinese, with the names of containers as a planner knows them."""
        own = name(self.container)
        if self.kind is Kind.WAIVER:
            return f"{own}：可申请豁免 {self.grids} 个网格的户数要求"
        effect = {
            Effect.WILL: "可全部达标",
            Effect.MAY: "未发现不能全部达标的原因",
            Effect.NOT: "也不能全部达标",
        }[self.effect]
        if self.other is None:
            step = "增" if self.kind is Kind.ONE_GRID_MORE else "减"
            return f"{own}：{step}为 {self.grids} 个网格（平均 {self.mean} 户）后，{effect}"
        across = "两片之间的隔断须可通行" if self.same_community else "须调整社区边界"
        return (
            f"{own}：与{name(self.other)}合并（{across}），共 {self.weight} 户、{self.grids} 个网格"
            f"（平均 {self.mean} 户）后，{effect}"
        )

    def english(self, name: Naming) -> str:
        """Say it in English, with the names of containers as a planner knows them."""
        own = name(self.container)
        if self.kind is Kind.WAIVER:
            return f"{own}: {grids_of(self.grids)} could be exempted from the band"
        effect = {
            Effect.WILL: "all can be in band",
            Effect.MAY: "nothing known keeps one out of band",
            Effect.NOT: "still not all can be in band",
        }[self.effect]
        if self.other is None:
            step = "one more" if self.kind is Kind.ONE_GRID_MORE else "one fewer"
            return f"{own}: with {grids_of(self.grids)}, {step} ({self.mean} households each), {effect}"
        across = "the barrier between them must be passable" if self.same_community else "across communities"
        return (
            f"{own}: joined with {name(self.other)} ({across}), {self.weight} households in {grids_of(self.grids)} "
            f"({self.mean} each), {effect}"
        )


def advise(problem: Problem, bound: tuple[ContainerBound, ...]) -> tuple[Advice, ...]:
    """Say what would help each container that no plan can have all in band.

    Every remedy is put to the proofs that found the fault: joins are named only where these leave it open that
    all grids are in band, one grid more and one fewer wherever so many can be had, with what they do.

    Parameters
    ----------
    problem : Problem
    bound : tuple of ContainerBound
        From `bounds`.

    Returns
    -------
    tuple of Advice
        For each such container in turn: one grid more, one fewer, joins, a waiver.
    """
    lands = Lands(problem)
    near = _neighbours(lands)
    return tuple(
        advice for row in bound if not row.within_reach for advice in _remedies(lands, near, row, bound)
    )


def _remedies(
    lands: Lands, near: dict[int, list[int]], row: ContainerBound, bound: tuple[ContainerBound, ...]
) -> Iterator[Advice]:
    own, ground = row.container, lands.ground(row.container)
    fewest, most = lands.range(own)
    for kind, grids in ((Kind.ONE_GRID_MORE, row.grids + 1), (Kind.ONE_GRID_FEWER, row.grids - 1)):
        if fewest <= grids <= most:
            effect = _effect(lands, ground, (own,), grids)
            yield Advice(kind, effect, own, None, True, grids, row.weight)
    for other in near.get(own, []):
        grids = row.grids + bound[other].grids
        effect = _effect(lands, lands.joined(own, other), (own, other), grids)
        if effect is not Effect.NOT:
            same = row.community == bound[other].community
            weight = row.weight + bound[other].weight
            yield Advice(Kind.JOIN_CONTAINER, effect, own, other, same, grids, weight)
    effect = Effect.MAY if ground.partitions is None else Effect.WILL
    yield Advice(Kind.WAIVER, effect, own, None, True, row.grids - row.in_band_at_most, row.weight)


def _effect(lands: Lands, ground: Ground, some: tuple[int, ...], grids: int) -> Effect:
    """Ask whether all of so many grids can be in band, those that are frozen there among them."""
    frozen = [row for container in some for row in lands.frozen[container]]
    free = grids - len(frozen)
    at_most = ground.in_band_at_most(lands.problem.band(), free) + sum(row.in_band for row in frozen)
    if at_most < grids:
        return Effect.NOT
    return Effect.MAY if ground.partitions is None else Effect.WILL


def _neighbours(lands: Lands) -> dict[int, list[int]]:
    """Containers that border on each other, by cells that are free to change."""
    problem = lands.problem
    u, v = problem.edges.T
    free = ~(problem.frozen[u] | problem.frozen[v])
    one, other = lands.home[u[free]], lands.home[v[free]]
    pairs = np.unique(
        np.r_[np.c_[one, other], np.c_[other, one]][np.r_[one, other] != np.r_[other, one]], axis=0
    )
    near: dict[int, list[int]] = {}
    for container, beside in pairs.tolist():
        near.setdefault(container, []).append(beside)
    return near
