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
from typing import Literal

import orjson
from itsdangerous import BadSignature, Signer
from pydantic import BaseModel, Field

from api import schemas
from data import codes, districts, plans
from data.session import Store
from geo.answers import Answer, Status
from geo.errors import NotFoundError
from geo.locate import Locator
from geo.times import CHINA

LONGEST = 1000
"""Characters of a slip; none that was given out is as long."""

_FORM = 1
"""How what a slip says is written; a slip of another form is not read."""
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
            form, *told = orjson.loads(rest[_HASH_BYTES:])
            if form != _FORM:  # of another release, which alone can read it
                return None
            kind, district, plan, grid, status, version, border_m, at = told
            answered = datetime.fromtimestamp(at, CHINA)
            digest = rest[:_HASH_BYTES]
            return Slip(kind, district, plan, grid, status, version, border_m, answered, key, nonce, digest)
        return None


class Told(BaseModel):
    """What was answered."""

    kind: Literal["point", "address"] = Field(description="What was asked about.")
    at: datetime = Field(description="When it was answered.")
    status: Status
    grid: str | None = Field(description="Code of the grid.", examples=["340504001007003"])
    border_m: float | None = Field(description="From the border of the grid that covers the place, metres.")
    data_version: int


class Verified(BaseModel):
    """What a slip is worth."""

    valid: bool = Field(description="Whether this server gave it out and nothing in it was changed.")
    told: Told | None = Field(
        default=None, description="What was answered; None where the slip is not valid."
    )
    district: schemas.District | None = None
    plan: schemas.Plan | None = Field(default=None, description="The plan that answered, as it stands now.")
    in_force: bool | None = Field(default=None, description="Whether that plan is in force now.")
    grid_status: str | None = Field(
        default=None, description=f"How the grid's code stands now: {', '.join(codes.STATUSES)}."
    )
    same_input: bool | None = Field(
        default=None, description="Whether it is about the input that is named; None where none is."
    )


def verified(store: Store, slips: Slips, token: str, named: str | None, asked: bytes | None) -> Verified:
    """Say what a slip is worth.

    Parameters
    ----------
    named : str, optional
        District that is asked about it.
    asked : bytes, optional
        An input, written as when it was asked.

    Raises
    ------
    NotFoundError
        If it is of another district than the one named.
    """
    slip = slips.read(token)
    if slip is None:
        return Verified(valid=False)
    if named not in (None, slip.district):
        raise NotFoundError(f"District {named} gave out no such slip.", "Leave the district out.")
    with store.read(slip.district) as connection:
        district = districts.get(connection, slip.district)
        plan = plans.get(connection, slip.district, slip.plan)
        current = plans.in_force(connection, slip.district)
        grid_status = codes.resolve(connection, slip.district, slip.grid).status if slip.grid else None
    return Verified(
        valid=True,
        told=Told.model_validate(slip, from_attributes=True),
        district=schemas.District.model_validate(district),
        plan=schemas.Plan(
            number=plan.number,
            title=plan.title,
            state=plan.state,
            valid_from=plan.valid.lower if plan.valid else None,
            valid_until=plan.valid.upper if plan.valid else None,
        ),
        in_force=current is not None and current.number == plan.number,
        grid_status=grid_status,
        same_input=None if asked is None else slip.is_about(asked),
    )
