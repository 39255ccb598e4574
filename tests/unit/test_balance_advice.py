"""What is advised for a container is what its plans, all of them looked at, can do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.balance import Problem, containers
from geo.balance.advice import Effect, Kind, advise
from geo.balance.bounds import bounds
from geo.balance.lands import Lands
from geo.balance.reach import bits
from tests.divisions import best, board, neighbours, per_container, plans, street, towns

pytestmark = pytest.mark.unit

WIDE = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@WIDE
@given(towns(), st.data())
def test_what_is_advised_is_what_all_plans_can_do(problem: Problem, data: st.DataObject) -> None:
    divisions = per_container(problem)
    grids = np.array([data.draw(st.sampled_from(sorted({len(p) for p in each}))) for each in divisions])
    bound = bounds(problem, grids)
    given_ = advise(problem, bound)
    assert {each.container for each in given_} == {row.container for row in bound if not row.within_reach}
    for advice in given_:
        row = bound[advice.container]
        if advice.kind is Kind.WAIVER:
            assert (advice.grids, advice.effect) == (row.grids - row.in_band_at_most, Effect.WILL)
            continue
        if advice.kind is Kind.JOIN_CONTAINER:
            assert advice.other is not None
            joined = dataclasses.replace(
                problem,
                community=np.where(np.isin(containers(problem), [advice.container, advice.other]), 9, 0),
                open=problem.open | crossed(problem, advice.container, advice.other),
            )
            some = frozenset(np.flatnonzero(joined.community == 9).tolist())
            reached = best(problem, plans(some, neighbours(joined)), advice.grids)
            assert advice.grids == row.grids + bound[advice.other].grids
            assert advice.effect is Effect.WILL
        else:
            reached = best(problem, divisions[advice.container], advice.grids)
            assert abs(advice.grids - row.grids) == 1
        assert reached is not None
        assert (advice.effect is Effect.WILL) == (reached.in_band == advice.grids)


def test_joined_containers_keep_the_barriers_inside_each() -> None:
    problem = board(2, 3, community=[0, 0, 1, 0, 0, 1])
    pairs = problem.edges.tolist()
    shut = [[0, 1], [1, 2], [2, 5]]
    problem = dataclasses.replace(problem, open=np.array([pair not in shut for pair in pairs]))
    lands = Lands(problem)
    assert lands.home.tolist() == [0, 0, 1, 0, 0, 2]
    near = lands.joined(0, 1).near
    assert [list(bits(each)) for each in near] == [[3], [2, 4], [1], [0, 4], [1, 3]]


def crossed(problem: Problem, one: int, other: int) -> np.ndarray:
    """Edges between two containers."""
    home = np.sort(containers(problem)[problem.edges], axis=1)
    return np.all(home == sorted((one, other)), axis=1)


def test_advice_is_said_in_both_languages() -> None:
    households = [100, 112, 112, 100] + [10] * 98
    community = [3] * 4 + [4] * 98
    problem = street(households, community, community=community, target=300)
    bound = bounds(problem, np.array([2, 3]))
    assert [row.in_band_at_most for row in bound] == [1, 3]

    def chinese(container: int) -> str:
        return f"第 {bound[container].community} 社区"

    def english(container: int) -> str:
        return f"Community {bound[container].community}"

    said = [bound[0].chinese(chinese), bound[1].chinese(chinese)]
    assert said == [
        "第 3 社区共 424 户，分 2 个网格，平均 212 户，无论怎样划分，至多 1 个达标，至少 1 个网格偏离目标 29.3% 或更多",
        "第 4 社区共 980 户，分 3 个网格，平均 327 户，未发现不能全部达标的原因",
    ]
    advice = advise(problem, bound)
    assert bound[0].english(english) == (
        "Community 3 has 424 households in 2 grids, 212 a grid; whatever the lines, at most 1 can be in band, "
        "and one is off target by 29.3% or more"
    )
    assert bound[1].english(english).endswith("nothing is known that keeps one of them out of band")
    assert [each.chinese(chinese) for each in advice] == [
        "第 3 社区：增为 3 个网格（平均 141 户）后，也不能全部达标",
        "第 3 社区：减为 1 个网格（平均 424 户）后，也不能全部达标",
        "第 3 社区：与第 4 社区合并（须调整社区边界），共 1404 户、5 个网格（平均 281 户）后，未发现不能全部达标的原因",
        "第 3 社区：可申请豁免 1 个网格的户数要求",
    ]
    assert [each.english(english) for each in advice] == [
        "Community 3: with 3 grids, one more (141 households each), still not all can be in band",
        "Community 3: with 1 grid, one fewer (424 households each), still not all can be in band",
        "Community 3: joined with Community 4 (across communities), 1404 households in 5 grids (281 each), "
        "nothing known keeps one out of band",
        "Community 3: 1 grid could be exempted from the band",
    ]
