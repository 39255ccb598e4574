"""What can be wrong with an address, each with its weight.

A weight is in nats: a reading of an address with faults of weights w₁, w₂ … is exp(-Σw) times as likely as one without
any, and is weighed against the other readings and against `NOTHING`, that none of them is meant. The kinds follow the
match faults of the BC Address Geocoder.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

NOTHING = 16.0
"""Weight of the reading that the address names nothing in the register."""
HARD = 30.0
"""Weight of what makes a reading impossible."""


class Kind(StrEnum):
    """What is wrong."""

    ALIAS = "alias"
    SPELLING = "spelling"
    PINYIN = "pinyin"
    INITIALS = "initials"
    PART_OF_NAME = "part_of_name"
    TOWN = "town"
    COMMUNITY = "community"
    DISTRICT = "district"
    STREET = "street"
    STREET_NUMBER = "street_number"
    COMPOUND = "compound"
    POI = "poi"
    ENTRANCE = "entrance"
    WORDS = "words"
    PREFIX = "prefix"
    READING = "reading"
    ORDER = "order"
    NUMBER_WORD = "number_word"
    NUMBER_UNUSED = "number_unused"
    LISTED_UNKNOWN = "listed_unknown"
    NO_NUMBER = "no_number"
    NUMBER_UNKNOWN = "number_unknown"
    PHASE_UNKNOWN = "phase_unknown"
    ELSEWHERE = "elsewhere"


WEIGHTS = {
    Kind.ALIAS: 0.3,
    Kind.SPELLING: 1.0,
    Kind.PINYIN: 0.7,
    Kind.INITIALS: 4.0,
    Kind.PART_OF_NAME: 2.0,
    Kind.TOWN: 3.0,
    Kind.COMMUNITY: 2.5,
    Kind.DISTRICT: 3.0,
    Kind.STREET: 3.0,
    Kind.STREET_NUMBER: 3.0,
    Kind.COMPOUND: 8.0,
    Kind.POI: 4.0,
    Kind.ENTRANCE: 1.0,
    Kind.WORDS: 2.0,
    Kind.PREFIX: 2.0,
    Kind.READING: 1.5,
    Kind.ORDER: 0.2,
    Kind.NUMBER_WORD: 0.2,
    Kind.NUMBER_UNUSED: 4.0,
    Kind.LISTED_UNKNOWN: 4.0,
    Kind.NO_NUMBER: 0.0,
    Kind.NUMBER_UNKNOWN: HARD,
    Kind.PHASE_UNKNOWN: HARD,
    Kind.ELSEWHERE: HARD,
}
"""What each fault weighs; that of `Kind.SPELLING` grows with the difference (`SPELLING_SLOPE`)."""
MISSPELLED_BESIDE = 6.0
"""What unknown words beside a misspelled name weigh more: they may be what makes it another name."""
SPELLING_SLOPE = 24.0
"""Nats for each unit of cost of `geo.address.sound.align`."""


class Fault(NamedTuple):
    """Something wrong with an address: what, how much it weighs in nats, and the words concerned."""

    kind: Kind
    weight: float
    words: str = ""


def fault(kind: Kind, words: str = "", more: float = 0.0) -> Fault:
    """Return a fault with the weight of its kind, and more."""
    return Fault(kind, WEIGHTS[kind] + more, words)
