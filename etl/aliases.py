"""Corrections become aliases: proposed by one account, in force when another confirms, withdrawn by any."""

from __future__ import annotations

from collections.abc import Iterator

from data import aliases, versions
from data.aliases import Alias, Noun, Target
from data.session import Store
from etl.acting import Act, acting
from etl.actor import Actor
from etl.lifecycle import once
from geo.address.corrections import Named, check_free, span, spelling
from geo.address.elsewhere import elsewhere
from geo.errors import ConflictError, ForbiddenError, InputError


def propose(
    store: Store,
    actor: Actor,
    district: str,
    words: str,
    *,
    compound: str | None = None,
    building: str | None = None,
    alone: bool = False,
    key: str | None = None,
) -> Alias:
    """Propose a name for a compound or building; what another account proposed already is confirmed by that.

    Parameters
    ----------
    words : str
        The name, or a text with it and no other; `geo.address.corrections.span` takes out what is kept.
    compound, building : str
        The ledger's code of one of them; a point of interest is the building it is in.
    alone : bool
        Whether the actor's word is enough: a planner's is.
    key : str, optional
        A request sent again under the same key is carried out once.

    Returns
    -------
    Alias
        As it stands; unchanged where the actor had proposed it, or it was in force, before.

    Raises
    ------
    InputError
        If there is not one name in the words, or not one thing it is to name.
    NotFoundError
        If there is no such compound or building.
    ConflictError
        If something else bears the name, or begins with it; see `geo.address.corrections.check_free`.
    """
    with acting(store, actor, district) as act:
        name = span(words)
        noun, code = _meant(compound, building)
        asked = {"act": "alias.propose", "words": name, "noun": noun, "code": code}
        return once(act, key, asked, lambda: _proposed(act, name, noun, code, alone=alone), Alias)


def confirm(
    store: Store, actor: Actor, district: str, number: int, *, alone: bool = False, key: str | None = None
) -> Alias:
    """Put a proposed name in force.

    Raises
    ------
    ForbiddenError
        If the actor proposed it, and its word alone is not enough.
    ConflictError
        If it is not proposed now, what it names is retired, or something else bears the name meanwhile.
    """
    with acting(store, actor, district) as act:
        return once(
            act,
            key,
            {"act": "alias.confirm", "number": number},
            lambda: _confirmed(act, aliases.get(act.connection, act.code, number), alone=alone),
            Alias,
        )


def withdraw(store: Store, actor: Actor, district: str, number: int, *, key: str | None = None) -> Alias:
    """Take a name back, whether proposed or in force; nothing is found by it any more.

    Raises
    ------
    ConflictError
        If it was withdrawn before.
    """
    with acting(store, actor, district) as act:

        def do() -> Alias:
            found = aliases.get(act.connection, act.code, number)
            if found.state == "withdrawn":
                raise _stands(found)
            aliases.withdraw(act.connection, act.code, number, actor.id)
            return _recorded(act, "withdraw", number, found)

        return once(act, key, {"act": "alias.withdraw", "number": number}, do, Alias)


def _proposed(act: Act, name: str, noun: Noun, code: str, *, alone: bool) -> Alias:
    target = aliases.target(act.connection, act.code, noun, code)
    standing = aliases.standing(act.connection, act.code, target)
    same = next((alias for alias in standing if spelling(alias.words) == spelling(name)), None)
    if same is None:
        check_free(name, noun, target.id, _names(act))
        number = aliases.add(act.connection, act.code, target, name, act.actor.id, agreed=alone)
        return _recorded(act, "propose", number, None)
    if same.state == "in_force" or (same.proposed_by == act.actor.id and not alone):
        return same
    return _confirmed(act, same, alone=alone)


def _confirmed(act: Act, found: Alias, *, alone: bool) -> Alias:
    if found.state != "proposed":
        raise _stands(found)
    if found.proposed_by == act.actor.id and not alone:
        raise ForbiddenError(
            f"{act.actor.id} proposed alias {found.number}.", "Let another account or a planner confirm it."
        )
    if found.quiet:
        raise ConflictError(
            f"The {found.noun} {found.code} is retired.",
            "Withdraw it, and propose the name for what replaced it.",
        )
    target = aliases.target(act.connection, act.code, found.noun, found.code)
    check_free(found.words, found.noun, target.id, _others(act, found, target))
    aliases.confirm(act.connection, act.code, found.number, act.actor.id)
    return _recorded(act, "confirm", found.number, found)


def _names(act: Act) -> Iterator[Named]:
    """Yield every name in the register, and those of the country's divisions."""
    yield from aliases.names(act.connection, act.code)
    yield from (Named("division", None, name) for name in elsewhere("").others)


def _others(act: Act, found: Alias, target: Target) -> Iterator[Named]:
    """Yield every name but the proposal itself."""
    itself = Named(found.noun, target.id, found.words)
    return (name for name in _names(act) if name != itself)


def _recorded(act: Act, verb: str, number: int, before: Alias | None) -> Alias:
    """Put an act on record, without the words, and raise the version of what it changed."""
    done = aliases.get(act.connection, act.code, number)
    seen = "in_force" in (done.state, before and before.state)
    versions.advance(act.connection, act.code, versions.LOCATE if seen else versions.DRAFTS)
    act.record(
        f"alias.{verb}",
        f"alias {number}",
        before={"state": before.state} if before else None,
        after={"state": done.state, done.noun: done.code},
    )
    return done


def _meant(compound: str | None, building: str | None) -> tuple[Noun, str]:
    if compound is not None and building is None:
        return "compound", compound
    if building is not None and compound is None:
        return "building", building
    raise InputError("A name is given to one compound or one building.", "Name one of them by its code.")


def _stands(found: Alias) -> ConflictError:
    state = {"in_force": "in force", "withdrawn": "withdrawn"}[found.state]
    return ConflictError(f"Alias {found.number} is {state} already.", "Look at it: gridgov alias list.")
