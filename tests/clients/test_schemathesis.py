"""Requests made up from the descriptions of our APIs: whatever is asked, no answer is a fault of the server."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

EXAMPLES = 2
"""Of each operation."""


def described(address: str) -> Any:
    with urlopen(address) as answer:  # noqa: S310
        return schemathesis.openapi.from_dict(json.load(answer))


@pytest.mark.parametrize("path", ["ogc/api", "api/v1/openapi.json"])
def test_no_request_is_answered_by_a_fault_of_the_server(site, path):
    asked = 0
    for found in described(f"{site.address}/{path}").get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(base_url=site.address)
            assert answer.status_code < 500 or answer.status_code == 503, (
                case.as_curl_command(),
                answer.text,
            )

        ask()
    assert asked > 100
