"""Names that belong to no place: pairs of rarely paired characters, each pair used once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

DISTRICT_CODE = "990101"
DISTRICT_NAME = "演示区"
CITY = "演示省演示市演示区"
"""What every address begins with; no such province exists."""

_FIRST = "昀霁岚沐蘅筠珩澄砚棠屿笙芷漪翊弦苓渚葭鹭璟绮荻菖槿楹杼霖湄缃蓁栩葳蔚瑾珉"
_SECOND = "禾澜墨羽川泽溪庭塘圃汀澍畔椿舟野岑陌桥亭浦垣坞埠栈檐篱阡甸洲岫簃皋渡甫榭"


Pool = Iterator[str]
"""Names that are not used yet."""


def invented(rng: np.random.Generator) -> Pool:
    """Yield 1,296 different two-character names in an order of their own a seed."""
    pairs = [first + second for first in _FIRST for second in _SECOND]
    return (pairs[i] for i in rng.permutation(len(pairs)))
