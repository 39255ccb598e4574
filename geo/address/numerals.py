"""Chinese numerals."""

from __future__ import annotations

import re

DIGITS = {
    character: value
    for value, characters in enumerate(
        ("零〇", "一幺壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for character in characters
}
"""What each numeral below ten stands for."""
_TENS = {"十": "十", "拾": "十", "百": "百", "佰": "百", "廿": "二十", "卅": "三十"}
HAN = "".join((*DIGITS, *_TENS))
"""Every numeral."""
_POSITIONAL = re.compile("(?:(?P<hundreds>[1-9]?)百)?(?P<zero>0?)(?:(?P<tens>[1-9]?)十)?(?P<ones>[0-9]?)")
_PLAIN = str.maketrans({**{character: str(value) for character, value in DIGITS.items()}, **_TENS})
_LONGEST = 9


def integer(written: str) -> int | None:
    """Read digits or Chinese numerals: 163, 一百六十三, 一六三, 二百五 (250), 廿一.

    Returns
    -------
    int or None
        None for what is no number as it is said, such as 三十八二, or too long for one.
    """
    plain = written.translate(_PLAIN)
    if len(plain) > _LONGEST:
        return None
    if plain.isascii() and plain.isdecimal():
        return int(plain)
    found = _POSITIONAL.fullmatch(plain)
    if found is None:
        return None
    tens = 10 * int(found["tens"] or 1) if "十" in plain else 0
    hundreds = 100 * int(found["hundreds"] or 1) if "百" in plain else 0
    ones = int(found["ones"] or 0)
    short = hundreds and not tens and not found["zero"]  # 二百五
    return hundreds + tens + ones * (10 if short else 1)
