"""Evidence slips: what was answered, signed, so that it can be shown and verified later; nothing is kept of it.

A slip holds what was told and a keyed hash of what was asked, never a position or an address. Whoever holds one
may ask whether it is about an input they name, and so could try inputs: it is as private as the answer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from itsdangerous import BadSignature, Signer

from geo.answers import Answer
from geo.locate import Locator
from geo.times import CHINA

LONGEST = 1000
"""Characters of a slip; none that was given out is as long."""

_FORM = 1
_SALT = b"gridgov.evidence"
_HASH_SALT = b"gridgov.evidence.input"
_NONCE_BYTES = 9
_HASH_BYTES = 16


@dataclass(frozen=True)
class Slip:
    """What a slip says.

    Attributes
    ----------
    kind : str
        What was asked about: point or address.
    district : str
        Its code.
    plan : int
        Number of the plan the answer was of.
    grid : str or None
        Code of the grid, where one was answered.
    status : str
        How sure the answer was.
    data_version : int
        What it was made from.
    border_m : float or None
        Distance to the border of the grid that covers the place, where that was known.
    at : datetime
        When it was answered.
    """

    kind: str
    district: str
    plan: int
    grid: str | None
    status: str
    data_version: int
    border_m: float | None
    at: datetime
    _key: _Key
    _nonce: bytes
    _digest: bytes

    def is_about(self, asked: bytes) -> bool:
        """Tell whether an input, written as when it was asked, is the one the slip is about."""
        return hmac.compare_digest(self._key.digest(self._nonce, asked), self._digest)


class _Key:
    """One key: signs slips and hashes inputs, each with a key derived from it."""

    def __init__(self, key: str) -> None:
        self.signer = Signer(key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)
        self._of_inputs = hmac.digest(key.encode(), _HASH_SALT, "sha256")

    def digest(self, nonce: bytes, asked: bytes) -> bytes:
        """Return the keyed hash of an input; with a number used once, equal inputs cannot be told to be equal."""
        return hmac.digest(self._of_inputs, nonce + asked, "sha256")[:_HASH_BYTES]


class Slips:
    """Signs and reads slips.

    Parameters
    ----------
    keys : sequence of str
        The first signs, all are good.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [_Key(key) for key in keys]

    def sign(self, locator: Locator, answer: Answer, kind: str, asked: bytes) -> str:
        """Return the slip of an answer.

        Parameters
        ----------
        locator : Locator
            What answered.
        kind : str
            What was asked about: point or address.
        asked : bytes
            The input, written in the one way it always is.
        """
        key, nonce = self._keys[0], secrets.token_bytes(_NONCE_BYTES)
        border_m = locator.with_border(answer).border_m
        told = (
            _FORM,
            kind,
            answer.district.code,
            answer.plan.number,
            answer.grid.code if answer.grid else None,
            answer.status,
            answer.data_version,
            None if border_m is None else round(border_m, 1),
            int(time.time()),
        )
        parts = nonce + key.digest(nonce, asked) + orjson.dumps(told)
        return key.signer.sign(urlsafe_b64encode(parts).rstrip(b"=")).decode()

    def read(self, token: str) -> Slip | None:
        """Return what a slip says, None where it was not signed here or is not whole."""
        for key in self._keys:
            try:
                signed = key.signer.unsign(token.encode())
            except (BadSignature, UnicodeEncodeError):
                continue
            parts = urlsafe_b64decode(signed + b"=" * (-len(signed) % 4))
            nonce, rest = parts[:_NONCE_BYTES], parts[_NONCE_BYTES:]
            _, kind, district, plan, grid, status, version, border_m, at = orjson.loads(rest[_HASH_BYTES:])
            answered = datetime.fromtimestamp(at, CHINA)
            digest = rest[:_HASH_BYTES]
            return Slip(kind, district, plan, grid, status, version, border_m, answered, key, nonce, digest)
        return None
