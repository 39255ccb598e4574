"""Corrections become aliases: two accounts or a planner, no name of anything else, and back again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from data import aliases as stored
from data import audit, versions
from data.session import Store
from data.tables.aliases import WORDS
from etl import aliases, retention, undo
from etl.actor import Actor
from geo.address.corrections import STORED
from geo.errors import ConflictError, ForbiddenError, GridgovError, InputError, NotFoundError
from tests import town
from tests.etl.test_changed_ledger import ask, deliver, ledger
from tests.ledgers import CODE

ONE, OTHER, PLANNER = Actor("one"), Actor("other"), Actor("planner")
NAME = "老纺织厂宿舍"
_codes = itertools.count(991001)


class Place:
    """A town of the test's own, and what is done to its aliases."""

    def __init__(self, store: Store) -> None:
        self.store, self.code = store, str(next(_codes))
        town.build(store, self.code)

    def propose(self, actor: Actor = ONE, words: str = NAME, **how) -> stored.Alias:
        target = {"compound": "X1"} if not {"compound", "building"} & set(how) else {}
        return aliases.propose(self.store, actor, self.code, words, **target, **how)

    def confirm(self, number: int, actor: Actor = OTHER, **how) -> stored.Alias:
        return aliases.confirm(self.store, actor, self.code, number, **how)

    def withdraw(self, number: int, actor: Actor = ONE, **how) -> stored.Alias:
        return aliases.withdraw(self.store, actor, self.code, number, **how)

    def every(self, **how) -> list[stored.Alias]:
        with self.store.read(self.code) as connection:
            return stored.every(connection, self.code, **how)

    def versions(self) -> dict[str, int]:
        with self.store.read(self.code) as connection:
            return versions.current(connection, self.code)

    def query(self, statement: str, **values) -> list:
        with self.store.begin(self.code) as connection:
            done = connection.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []


@pytest.fixture
def place(shared_store):
    return Place(shared_store)


def test_a_name_is_in_force_when_another_account_confirms(place):
    proposed = place.propose()
    assert (proposed.state, proposed.words, proposed.noun, proposed.code) == (
        "proposed",
        NAME,
        "compound",
        "X1",
    )
    with pytest.raises(ForbiddenError, match="one proposed alias"):
        place.confirm(proposed.number, ONE)
    confirmed = place.confirm(proposed.number)
    assert (confirmed.state, confirmed.proposed_by, confirmed.confirmed_by) == ("in_force", "one", "other")
    with pytest.raises(ConflictError, match="in force already"):
        place.confirm(proposed.number, PLANNER)
    assert place.every() == [confirmed]


def test_to_propose_what_another_account_proposed_is_to_confirm_it(place):
    number = place.propose().number
    assert place.propose().state == "proposed"  # said twice by one account it is no more than said
    assert place.propose(OTHER, "老纺织厂宿舍小区").state == "in_force"
    assert place.propose(OTHER).number == number
    assert len(place.every()) == 1


def test_a_planners_word_is_enough(place):
    done = place.propose(PLANNER, alone=True)
    assert (done.state, done.proposed_by, done.confirmed_by) == ("in_force", "planner", "planner")
    number = place.propose(words="老邮局", building="B4").number
    assert place.confirm(number, ONE, alone=True).state == "in_force"


def test_a_name_is_taken_back_and_may_be_proposed_again(place):
    for state, how in (("proposed", {}), ("in_force", {"alone": True})):
        done = place.propose(**how)
        assert done.state == state
        back = place.withdraw(done.number, OTHER)
        assert (back.state, back.withdrawn_by) == ("withdrawn", "other")
        for act in (place.withdraw, place.confirm):
            with pytest.raises(ConflictError, match="withdrawn already"):
                act(done.number)
    assert [alias.state for alias in place.every()] == ["withdrawn", "withdrawn"]
    assert place.every(state="in_force") == []


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (InputError, {"words": "12号楼3单元501室"}),
        (InputError, {"words": "王先生13800000000"}),
        (InputError, {"compound": None}),
        (InputError, {"building": "B1"}),
        (NotFoundError, {"compound": "X9"}),
        (NotFoundError, {"compound": None, "building": "X1"}),
        (ConflictError, {"words": "康宁花园"}),  # its own
        (ConflictError, {"words": "老幸福大院"}),
        (ConflictError, {"words": "碧水小区"}),  # of others
        (ConflictError, {"words": "碧水"}),
        (ConflictError, {"words": "湖东路"}),
        (ConflictError, {"words": "健康"}),
        (ConflictError, {"words": "望江街道"}),
        (ConflictError, {"words": "安居"}),
        (ConflictError, {"words": "雨山区"}),
        (ConflictError, {"words": "在建阵地"}),
        (ConflictError, {"words": "老粮站"}),  # the place in a building
        (ConflictError, {"words": "合肥"}),  # a place elsewhere
        (ConflictError, {"words": "老湖东路"}),
        (ConflictError, {"words": "盛世新城"}),  # of several phases
        (ConflictError, {"words": "福利院"}),  # a building's other name
    ],
)
def test_what_cannot_be_an_alias_changes_nothing(place, error, change):
    place.query("UPDATE buildings SET poi = '老粮站', aliases = '{福利院}' WHERE external_code = 'B4'")
    place.query("UPDATE compounds SET phase_of = '盛世新城' WHERE external_code = 'X3'")
    before = place.versions()
    with pytest.raises(error):
        place.propose(**({"words": NAME, "compound": "X1"} | change))
    assert (place.every(), place.versions()) == ([], before)


def test_a_name_is_proposed_for_one_thing_only(place):
    place.propose()
    with pytest.raises(ConflictError, match=NAME):
        place.propose(OTHER, compound="X2")
    with pytest.raises(ConflictError, match=NAME):
        place.propose(OTHER, "老纺织厂", building="B4")


def test_what_bears_the_name_since_stands_against_a_confirmation(place):
    number = place.propose().number
    place.query("UPDATE compounds SET aliases = :names WHERE external_code = 'X2'", names=[NAME])
    with pytest.raises(ConflictError, match=NAME):
        place.confirm(number)
    place.query("UPDATE compounds SET aliases = '{}' WHERE external_code = 'X2'")
    assert place.confirm(number).state == "in_force"


def test_the_alias_of_what_is_retired_is_quiet(place):
    number = place.propose(building="B4").number
    place.query("UPDATE buildings SET retired_at = now() WHERE external_code = 'B4'")
    assert place.every()[0].quiet
    with pytest.raises(ConflictError, match="retired"):
        place.confirm(number)
    with pytest.raises(NotFoundError):
        place.propose(OTHER, building="B4")
    with pytest.raises(ConflictError, match=NAME):  # it may come back
        place.propose(OTHER, building="B5")
    place.withdraw(number)
    assert place.propose(OTHER, building="B5").state == "proposed"


def test_under_one_key_a_proposal_is_made_once(place):
    first = place.propose(key="0123456789")
    place.withdraw(first.number)
    assert place.propose(words=f"{NAME}3幢", key="0123456789") == first
    with pytest.raises(ConflictError, match="key"):
        place.propose(words="老粮站", key="0123456789")
    assert len(place.every()) == 1


def test_neither_numbers_nor_persons_nor_the_text_are_stored(place):
    asked = f"请问{NAME}12幢3单元501室王先生 13800000000"
    number = place.propose(words=asked, key="0123456789").number
    place.confirm(number)
    kept = place.query(
        "SELECT a::text FROM aliases a UNION ALL SELECT concat(before, after) FROM audit"
        " UNION ALL SELECT answer::text FROM answered_requests"
    )
    for (row,) in kept:
        for trace in ("13800000000", "501", "12幢", "王先生", "请问"):
            assert trace not in row
    with place.store.read(place.code) as connection:
        entries = audit.entries(connection, place.code, subject=f"alias {number}")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("alias.confirm", "other"),
        ("alias.propose", "one"),
    ]
    assert NAME not in repr(entries)  # the record outlives a name that is taken back


def test_what_the_database_takes_is_what_corrections_leave():
    assert f"^{STORED}$" == WORDS


@pytest.mark.parametrize(
    "words", [f"{NAME}3", "３号", "老 粮站", "龘", "纺" * 21, "③老粮站", "moma ", " moma"]
)
def test_the_database_holds_letters_only(place, words):
    number = place.propose(words="Moma Garden").number
    with pytest.raises(IntegrityError, match="ck_aliases_words"):
        place.query("UPDATE aliases SET words = :words WHERE id = :number", words=words, number=number)


def test_answers_change_with_what_is_in_force_alone(place):
    def raised(act, *given, **how) -> set[str]:
        before = place.versions()
        act(*given, **how)
        after = place.versions()
        return {layer for layer in after if after[layer] != before.get(layer)}

    assert raised(place.propose) == {"drafts"}
    ((number,),) = place.query("SELECT id FROM aliases WHERE district = :code", code=place.code)
    assert raised(place.propose) == set()
    assert raised(place.confirm, number) == {"locate"}
    assert raised(place.withdraw, number) == {"locate"}
    assert raised(place.propose, alone=True) == {"locate"}


def test_a_name_taken_back_is_forgotten_after_a_month(place, tmp_path):
    old, fresh, stands = (place.propose(words=words).number for words in (NAME, "老粮站", "凯旋国际"))
    for number in (old, fresh):
        place.withdraw(number)
    place.query("UPDATE aliases SET withdrawn_at = now() - interval '31 days' WHERE id = :old", old=old)
    assert retention.forget(place.store, PLANNER, place.code, tmp_path).aliases == 1
    assert {alias.number for alias in place.every()} == {fresh, stands}


def test_no_import_changes_or_loses_an_alias(store):
    tables = ledger()
    deliver(store, tables)

    def kept() -> list:
        return ask(store, "SELECT a::text FROM aliases a ORDER BY a.id")

    def quiet() -> list[tuple[str, bool]]:
        with store.read(CODE) as connection:
            return [(alias.code, alias.quiet) for alias in stored.every(connection, CODE)]

    aliases.propose(store, ONE, CODE, "老粮站", building="B4", alone=True)
    aliases.propose(store, ONE, CODE, NAME, compound="X1")
    before = kept()
    tables["buildings"][3]["code"] = "N4"
    tables["compounds"][0] |= {"name": "新苑", "aliases": ""}
    deliver(store, tables)
    assert quiet() == [("X1", False), ("N4", False)]
    lost = tables["buildings"].pop(3)
    gone = deliver(store, tables).import_id
    assert quiet() == [("X1", False), ("N4", True)]
    undo.undo_import(store, PLANNER, CODE, gone)
    assert quiet() == [("X1", False), ("N4", False)]
    deliver(store, tables)
    tables["buildings"].append(lost)
    deliver(store, tables)
    assert (quiet(), kept()) == ([("X1", False), ("N4", False)], before)
    with pytest.raises(ConflictError, match="梧桐里"):  # a former name stays one
        aliases.propose(store, ONE, CODE, "梧桐里", building="B5")


class Life(RuleBasedStateMachine):
    """Three accounts and a planner at a few names; a model that is a dictionary says what stands."""

    store: Store

    @initialize()
    def begin(self) -> None:
        self.place = Place(self.store)
        self.known: dict[int, tuple[str, str, str, str]] = {}

    @rule(
        actor=st.sampled_from((ONE, OTHER, PLANNER)),
        words=st.sampled_from((NAME, "老粮站", f"{NAME}3幢", "碧水")),
        of=st.sampled_from(({"compound": "X1"}, {"compound": "X2"}, {"building": "B4"})),
    )
    def propose(self, actor: Actor, words: str, of: dict[str, str]) -> None:
        code, name = next(iter(of.values())), words.removesuffix("3幢")
        own = {n: row for n, row in self.known.items() if row[:2] == (name, code) and row[2] != "withdrawn"}
        taken = name == "碧水" or any(
            row[0] == name and row[1] != code and row[2] != "withdrawn" for row in self.known.values()
        )
        alone = actor == PLANNER
        try:
            done = self.place.propose(actor, words, alone=alone, **of)
        except ConflictError:
            assert taken
            return
        assert not taken
        state, by = ("in_force" if alone else "proposed"), actor.id
        for number, (_, _, stood, proposer) in own.items():
            assert number == done.number
            both = stood == "in_force" or proposer != actor.id or alone
            state, by = ("in_force" if both else "proposed"), proposer
        self.known[done.number] = (name, code, state, by)

    @rule(data=st.data(), actor=st.sampled_from((ONE, OTHER, PLANNER)), act=st.sampled_from("cw"))
    def act(self, data: st.DataObject, actor: Actor, act: str) -> None:
        if not self.known:
            return
        number = data.draw(st.sampled_from(sorted(self.known)))
        name, code, state, by = self.known[number]
        alone = actor == PLANNER
        may = state == "proposed" and (by != actor.id or alone) if act == "c" else state != "withdrawn"
        try:
            if act == "c":
                self.place.confirm(number, actor, alone=alone)
            else:
                self.place.withdraw(number, actor)
        except GridgovError:
            assert not may
            return
        assert may
        self.known[number] = (name, code, "in_force" if act == "c" else "withdrawn", by)

    @invariant()
    def stands(self) -> None:
        if not hasattr(self, "place"):
            return
        found = self.place.every()
        assert {a.number: (a.words, a.code, a.state, a.proposed_by) for a in found} == self.known
        assert all(a.confirmed_by != a.proposed_by or a.proposed_by == "planner" for a in found)
        standing = [a.words for a in found if a.state != "withdrawn"]
        assert len(standing) == len(set(standing))


def test_whatever_is_done_a_name_is_of_one_thing_and_agreed_by_two(shared_store):
    Life.store = shared_store
    quick = settings(
        max_examples=12, stateful_step_count=12, suppress_health_check=[HealthCheck.too_slow], deadline=None
    )
    run_state_machine_as_test(Life, settings=quick)
