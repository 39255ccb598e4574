from __future__ import annotations

from tests.bench.kills.harness import run


def test_a_killed_act_leaves_all_as_it_was_or_all_done(fresh_database):
    with fresh_database() as url:
        tallies = run(url, 8, seed=2)
    assert [fault for tally in tallies.values() for fault in tally.torn] == []
    assert sum(tally.kills for tally in tallies.values()) == 8
    assert all(tally.old + tally.new == tally.kills for tally in tallies.values())
