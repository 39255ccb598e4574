"""Instance folders: what is malformed is refused by name, what is not is balanced legally, whatever it looks like."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from etl.instances import check_target, pose, read, write
from geo.balance import balance, containers
from geo.errors import GridgovError, InputError

SYNTH1 = Path(__file__).parents[1] / "bench" / "rebalance" / "synth1"
SIDE = 4


@dataclass
class Plain:
    """The three files of an instance, before they are written."""

    units: pd.DataFrame
    edges: pd.DataFrame
    meta: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        self.units.to_parquet(folder / "units.parquet")
        self.edges.to_parquet(folder / "edges.parquet")
        (folder / "meta.json").write_text(json.dumps(self.meta))
        return folder


def board() -> Plain:
    """Sixteen square units of 10 m: the upper half one community, the lower cut in two by a barrier."""
    n = SIDE * SIDE
    at = np.arange(n).reshape(SIDE, SIDE)
    row, column = np.divmod(np.arange(n), SIDE)
    lower = row >= SIDE // 2
    units = pd.DataFrame(
        {
            "uid": 100 + np.arange(n),
            "w": 10 + np.arange(n) % 3,
            "x": column * 10.0,
            "y": row * 10.0,
            "area": 100.0,
            "perim": 40.0,
            "container": np.where(lower, 1 + (column >= SIDE // 2), 0),
            "community": lower.astype(int),
            "compound": np.where(column == 0, 5, -1),
            "current": row,
        }
    )
    pairs = np.r_[np.c_[at[:, :-1].ravel(), at[:, 1:].ravel()], np.c_[at[:-1].ravel(), at[1:].ravel()]]
    home = units.container.to_numpy()
    same = home[pairs[:, 0]] == home[pairs[:, 1]]
    edges = pd.DataFrame({"u": pairs[:, 0], "v": pairs[:, 1], "shared_len": 10.0, "ok": same.astype("int8")})
    return Plain(units, edges, {"name": "board", "target": 30, "K": 7, "k_per_container": [3, 2, 2]})


def there_and_back(edges: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([edges, edges.rename(columns={"u": "v", "v": "u"})], ignore_index=True)


def put(frame: str, name: str, row: int, value: object) -> Callable[[Plain], None]:
    """Set a value; the column takes whatever type that needs."""

    def change(plain: Plain) -> None:
        column = list(getattr(plain, frame)[name])
        column[row] = value
        getattr(plain, frame)[name] = pd.Series(column)

    return change


def state(**stated: object) -> Callable[[Plain], None]:
    return lambda plain: plain.meta.update(stated)


def without(frame: str, name: str) -> Callable[[Plain], None]:
    def change(plain: Plain) -> None:
        if frame == "meta":
            del plain.meta[name]
        else:
            setattr(plain, frame, getattr(plain, frame).drop(columns=name))

    return change


def more_edges(*rows: tuple[int, int, float, int]) -> Callable[[Plain], None]:
    def change(plain: Plain) -> None:
        more = pd.DataFrame(list(rows), columns=["u", "v", "shared_len", "ok"])
        plain.edges = pd.concat([plain.edges, more], ignore_index=True)

    return change


def both_ways(*, shared_len: float | None = None, drop: int | None = None) -> Callable[[Plain], None]:
    def change(plain: Plain) -> None:
        plain.edges = there_and_back(plain.edges)
        if shared_len is not None:
            plain.edges.loc[0, "shared_len"] = shared_len
        if drop is not None:
            plain.edges = plain.edges.drop(index=drop)

    return change


def cut(*rows: int) -> Callable[[Plain], None]:
    """Lay a barrier around units."""

    def change(plain: Plain) -> None:
        around = plain.edges.u.isin(rows) != plain.edges.v.isin(rows)
        plain.edges.loc[around, "ok"] = 0

    return change


def typed(frame: str, name: str, kind: str) -> Callable[[Plain], None]:
    def change(plain: Plain) -> None:
        setattr(plain, frame, getattr(plain, frame).astype({name: kind}))

    return change


def no_units(plain: Plain) -> None:
    plain.units, plain.edges = plain.units[:0], plain.edges[:0]


FAULTS: list[tuple[Callable[[Plain], None], str]] = [
    (without("units", "perim"), r"units\.parquet has no column perim"),
    (without("edges", "ok"), r"edges\.parquet has no column ok"),
    (typed("units", "w", "str"), r"units\.parquet: w is of type (large_)?string"),
    (typed("units", "x", "bool"), r"units\.parquet: x is of type bool"),
    (typed("units", "uid", "float"), r"units\.parquet: uid is of type double"),
    (typed("edges", "ok", "str"), r"edges\.parquet: ok is of type"),
    (no_units, r"units\.parquet has no rows"),
    (put("units", "w", 3, -4), r"units\.parquet: w is below 0: -4 of uid 103\."),
    (put("units", "w", 3, 1.5), r"units\.parquet: w is not a whole number: 1\.5 of uid 103\."),
    (put("units", "w", 3, float("nan")), r"units\.parquet: w is (missing|not a finite number): .*uid 103"),
    (put("units", "w", 3, float("inf")), r"units\.parquet: w is not a finite number: inf of uid 103"),
    (put("units", "w", 3, 2**40), r"units\.parquet: w is above 2,147,483,647"),
    (put("units", "w", 3, 2**30), r"units\.parquet: container has more than 10,000,000 households: 0 "),
    (put("units", "x", 5, float("-inf")), r"units\.parquet: x is not a finite number: -inf of uid 105"),
    (put("units", "area", 5, -1.0), r"units\.parquet: area is below 0: -1\.0 of uid 105"),
    (put("units", "perim", 5, 1e12), r"units\.parquet: perim is above"),
    (put("units", "current", 5, -2), r"units\.parquet: current is below -1: -2 of uid 105"),
    (put("units", "compound", 5, None), r"units\.parquet: compound is missing: uid 105"),
    (put("units", "compound", 5, 2**62 + 1), r"units\.parquet: compound is above"),
    (put("units", "uid", 5, 100), r"units\.parquet: uid is there more than once: 100 \(again in row 5\)"),
    (put("units", "uid", 5, None), r"units\.parquet: uid is (missing: row 5|of type double)"),
    (
        put("units", "container", 3, 9),
        r"units\.parquet: no unit is of container 3, though one is of container 9",
    ),
    (
        put("units", "container", 3, 1),
        r"container spans communities: 1 \(uid 103 is of another than uid 108\)",
    ),
    (put("units", "community", 3, 8), r"container spans communities: 0 "),
    (cut(0), r"container is not connected over edges that are ok: 0 \(no way from uid 100 to uid 101\)"),
    (cut(8, 12), r"container is not connected over edges that are ok: 1 \(no way from uid 108 to uid 109\)"),
    (more_edges((9, 14, 1.0, 1)), r"joins two containers of one community: uid 109 of 1 and uid 114 of 2"),
    (more_edges((3, 99, 1.0, 1)), r"edges\.parquet: v leads to no unit: 99 of row 24\."),
    (more_edges((-1, 3, 1.0, 1)), r"edges\.parquet: u is below 0: -1 of row 24\."),
    (more_edges((3, 3, 1.0, 1)), r"a unit borders on itself: row 24 \(uid 103, uid 103\)"),
    (more_edges((0, 1, 10.0, 1)), r"an edge is listed again: row 24 \(uid 100, uid 101\)"),
    (more_edges((1, 0, 10.0, 1)), r"goes both ways, where others go one way only: row 0 .*, row 24 "),
    (both_ways(drop=30), r"an edge goes one way only, where others go both: row 6 "),
    (both_ways(shared_len=9.0), r"a border is not the same seen from both sides: row 24 "),
    (put("edges", "shared_len", 2, -1.0), r"edges\.parquet: shared_len is below 0: -1\.0 of row 2\."),
    (put("edges", "shared_len", 2, float("nan")), r"edges\.parquet: shared_len is .*row 2"),
    (put("edges", "ok", 2, 2), r"edges\.parquet: ok is above 1: 2 of row 2"),
    (put("edges", "u", 2, 0.5), r"edges\.parquet: u is not a whole number: 0\.5 of row 2"),
    (without("meta", "target"), r"meta\.json: no target is stated"),
    (state(target=0), r"meta\.json: target is 0\."),
    (state(target=-300), r"meta\.json: target is -300\."),
    (state(target="300"), r'meta\.json: target is "300"\.'),
    (state(target=True), r"meta\.json: target is true\."),
    (without("meta", "K"), r"meta\.json states no K\."),
    (without("meta", "k_per_container"), r"meta\.json states no k_per_container\."),
    (state(K=8), r"meta\.json: K is 8, but k_per_container adds up to 7"),
    (state(K=7.5), r"meta\.json: K is 7\.5\."),
    (state(k_per_container=7), r"meta\.json: k_per_container is 7\."),
    (state(k_per_container=[3, 4]), r"k_per_container has 2 numbers for 3 containers"),
    (state(k_per_container=[5, 0, 2]), r"is not a whole number from 1 up: 0 of container 1"),
    (state(k_per_container=[3, None, 4]), r"is not a whole number from 1 up: null of container 1"),
    (state(k_per_container=[1, 5, 1]), r"is larger than the number of units: 5 of container 1 with 4"),
]


@pytest.mark.parametrize(("change", "fault"), FAULTS, ids=[fault[:60] for _, fault in FAULTS])
def test_what_is_malformed_is_refused_with_the_place_and_a_remedy(tmp_path, change, fault):
    plain = board()
    change(plain)
    with pytest.raises(InputError, match=fault) as refused:
        read(plain.write(tmp_path / "instance"))
    assert refused.value.remedy.endswith(".")


@pytest.mark.parametrize("name", ["units.parquet", "edges.parquet", "meta.json"])
def test_files_that_are_missing_or_unreadable_are_named(tmp_path, name):
    folder = board().write(tmp_path / "instance")
    (folder / name).write_bytes(b"{no file of its kind")
    with pytest.raises(InputError, match=rf"^{name} cannot be read as (Parquet|JSON): "):
        read(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"holds no {name}"):
        read(folder)
    with pytest.raises(InputError, match="is no folder"):
        read(folder / "elsewhere")


def test_of_many_faults_of_a_kind_some_are_named_and_all_counted(tmp_path):
    plain = board()
    plain.units["w"] = -1
    with pytest.raises(InputError, match=r"-1 of uid 100, -1 of uid 101, -1 of uid 102, and 13 more\. "):
        read(plain.write(tmp_path / "instance"))


def test_an_instance_is_the_problem_it_states(tmp_path):
    instance = read(board().write(tmp_path / "instance"))
    problem = pose(instance, tolerance_percent=20)
    assert (instance.name, instance.weight, instance.grids) == ("board", "households", 7)
    assert instance.uids.tolist() == list(range(100, 116))
    assert np.array_equal(instance.container, containers(problem))
    assert problem.households.sum() == board().units.w.sum()
    assert (problem.target, problem.tolerance_percent) == (30, 20)
    assert len(problem.edges) == 24
    assert problem.open.sum() == 18
    assert problem.grids.tolist() == [3, 2, 2]


def test_grids_are_the_instances_own_containers_whatever_their_order(tmp_path):
    plain = board()
    plain.units["container"] = 2 - plain.units.container
    plain.meta |= {"K": 8, "k_per_container": [1, 2, 5]}
    instance = read(plain.write(tmp_path / "instance"))
    assert instance.own_numbers.tolist() == [2, 1, 0]
    proposal = balance(pose(instance))
    shares = pd.Series(proposal.assignment).groupby(instance.container).nunique()
    assert shares.tolist() == [1, 2, 5]


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: setattr(plain, "edges", there_and_back(plain.edges)),
        lambda plain: setattr(plain, "edges", plain.edges.rename(columns={"u": "v", "v": "u"})),
        lambda plain: setattr(plain, "edges", plain.edges.sample(frac=1.0, random_state=1)),
        typed("edges", "ok", "bool"),
        typed("edges", "ok", "float"),
        typed("edges", "u", "uint16"),
        typed("units", "w", "float"),
        typed("units", "area", "float32"),
        typed("units", "area", "int"),
        typed("units", "current", "int8"),
    ],
)
def test_another_writing_of_the_same_is_the_same(tmp_path, change):
    plain = board()
    plain.edges["shared_len"] += np.arange(len(plain.edges)) / 8
    stated = balance(pose(read(plain.write(tmp_path / "stated"))))
    change(plain)
    assert np.array_equal(balance(pose(read(plain.write(tmp_path / "other")))).assignment, stated.assignment)


def test_without_numbers_of_grids_some_must_be_asked_for(tmp_path):
    plain = board()
    plain.meta = {"target": 45}
    folder = plain.write(tmp_path / "instance")
    instance = read(folder, counted=False)
    with pytest.raises(InputError, match="states no K and k_per_container"):
        pose(instance)
    assert balance(pose(instance, grids=9)).report.after.grids == 9
    assert balance(pose(instance, grids="free")).report.after.grids == 4
    plain.meta["K"], plain.meta["k_per_container"] = 3, [3]
    with pytest.raises(InputError, match="k_per_container has 1 numbers"):
        read(plain.write(tmp_path / "wrong"), counted=False)


def test_from_scratch_todays_grids_are_not_looked_at(tmp_path):
    plain = board()
    drawn = balance(pose(read(plain.write(tmp_path / "one")), scratch=True))
    plain.units["current"] = np.arange(16)[::-1] // 3
    other = balance(pose(read(plain.write(tmp_path / "other")), scratch=True))
    assert np.array_equal(drawn.assignment, other.assignment)
    assert sorted(set(drawn.assignment.tolist())) == list(range(7))


@pytest.mark.parametrize("uids", [None, [f"楼 {i}, “{i}”" for i in range(16)], [f"00{i}" for i in range(16)]])
def test_a_plan_is_written_with_the_units_own_names(tmp_path, uids):
    plain = board()
    if uids is not None:
        plain.units["uid"] = uids
    instance = read(plain.write(tmp_path / "instance"))
    assignment = balance(pose(instance)).assignment
    target = tmp_path / "plan.csv"
    target.write_text("what stood there")
    target.chmod(0o640)
    write(target, instance, assignment)
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["uid", "district"]
    assert [uid for uid, _ in rows[1:]] == [str(uid) for uid in plain.units.uid]
    assert [int(label) for _, label in rows[1:]] == assignment.tolist()
    assert target.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"instance", "plan.csv"}


def test_a_plan_takes_the_place_of_files_only(tmp_path):
    instance = read(board().write(tmp_path / "instance"))
    assignment = np.zeros(16, np.int64)
    (tmp_path / "link.csv").symlink_to("real.csv")
    write(tmp_path / "link.csv", instance, assignment)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("uid,district\n100,0\n")
    write(Path("/dev/null"), instance, assignment)
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("instance", "is a folder"),
        ("nowhere/plan.csv", "is no folder"),
        ("instance/units.parquet", "is a part of the instance"),
        ("instance/../instance/meta.json", "is a part of the instance"),
    ],
)
def test_where_a_plan_cannot_be_written_is_told_before_the_search(tmp_path, target, fault):
    folder = board().write(tmp_path / "instance")
    with pytest.raises(InputError, match=fault):
        check_target(tmp_path / target, folder)
    check_target(tmp_path / "plan.csv", folder)


def test_the_instances_of_this_project_are_read(real_data):
    names = ["synth1", "providence_blocks"]
    folders = [SYNTH1, *(real_data / "rebalance" / "data" / name for name in names)]
    for folder in folders:
        instance = read(folder)
        assert np.array_equal(instance.container, containers(instance.problem))
        assert instance.stated.sum() == instance.grids


ODD = [
    -1,
    0,
    1,
    2,
    16,
    2.5,
    float("nan"),
    float("inf"),
    -1e308,
    1e308,
    2**31,
    2**63 - 1,
    10**6,
    None,
    "",
    "x",
    True,
]
KINDS = ["int8", "uint64", "float16", "float32", "float64", "bool", "str", "object", "category"]


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[Plain], None]:
    frame = draw(st.sampled_from(["units", "edges", "meta"]))
    if frame == "meta":
        name = draw(st.sampled_from(["name", "target", "K", "k_per_container", "weight"]))
        numbers = st.lists(st.integers(-1, 6), max_size=4)
        return state(**{name: draw(st.sampled_from(ODD) | numbers)})
    name = draw(st.sampled_from(list(getattr(board(), frame).columns)))
    kind = draw(
        st.sampled_from(["put", "put", "put", "type", "drop column", "drop", "repeat", "mix", "edge", "flip"])
    )
    row = draw(st.integers(0, 15))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if kind == "put":
        return put(frame, name, row, draw(st.sampled_from(ODD)))
    if kind == "type":
        return typed(frame, name, draw(st.sampled_from(KINDS)))
    if kind == "drop column":
        return without(frame, name)
    if kind == "edge":
        ends = st.integers(-1, 17)
        return more_edges(
            (draw(ends), draw(ends), draw(st.sampled_from([0.0, 10.0])), draw(st.integers(0, 1)))
        )
    if kind == "flip":
        return both_ways(drop=draw(st.none() | st.integers(0, 30)))

    def rows(plain: Plain) -> None:
        old = getattr(plain, frame)
        keep = {"drop": np.delete(np.arange(len(old)), row % len(old)), "mix": rng.permutation(len(old))}
        setattr(plain, frame, old.iloc[keep.get(kind, np.r_[np.arange(len(old)), row % len(old)])])

    return rows


def attempt(act: Callable[[], Any]) -> Any:
    """Return what comes of an act, or the error it was refused with; any other error is a fault of ours."""
    try:
        return act()
    except GridgovError as refused:
        return refused


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(mutations(), min_size=1, max_size=3),
    st.none() | st.just("free") | st.integers(1, 20),
    st.booleans(),
    st.integers(0, 50),
)
def test_whatever_a_folder_holds_it_is_refused_in_words_or_balanced_legally(
    changes, grids, scratch, tolerance
):
    plain = board()
    with tempfile.TemporaryDirectory() as name:
        try:
            for change in changes:
                change(plain)
            folder = plain.write(Path(name))
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, pa.ArrowException):
            assume(False)  # no such files can be written
        instance = attempt(lambda: read(folder))
    if isinstance(instance, GridgovError):
        assert instance.fault.endswith(".")
        assert instance.remedy.endswith(".")
        return
    problem = pose(instance, grids=grids, scratch=scratch, tolerance_percent=tolerance)
    proposal = attempt(lambda: balance(problem))
    if isinstance(proposal, GridgovError):
        assert isinstance(grids, int)
        assert f"{grids} grids are asked for" in proposal.fault
        return
    assert proposal.report.after.legal
    shares = pd.Series(proposal.assignment).groupby(instance.container).nunique()
    if grids is None:
        assert shares.tolist() == plain.meta["k_per_container"]
    elif grids != "free":
        assert shares.sum() == grids


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["units.parquet", "edges.parquet", "meta.json"]), st.floats(0, 1), st.binary(max_size=4)
)
def test_damaged_files_are_refused_in_words(file, share, damage):
    with tempfile.TemporaryDirectory() as name:
        folder = board().write(Path(name))
        content = (folder / file).read_bytes()
        at = int(share * len(content))
        (folder / file).write_bytes(content[:at] + (damage + content[at + len(damage) :] if damage else b""))
        instance = attempt(lambda: read(folder))
    if isinstance(instance, GridgovError):
        assert instance.remedy
    else:
        assert balance(pose(instance)).report.after.legal
