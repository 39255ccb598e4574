"""The server deployment, as far as a machine without a Docker engine can check it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()


def instructions(word: str) -> list[str]:
    return [line.removeprefix(word).strip() for line in DOCKERFILE if line.startswith(word + " ")]


def parse(words: list[str]) -> None:
    """Parse a command line as the program does, and do nothing of it."""
    from api.cli.main import app

    command, words = typer.main.get_command(app), list(words)
    while isinstance(command, typer.core.TyperGroup):
        _, command, words = command.resolve_command(typer.Context(command), words)
    command.make_context("gridgov", words)


@pytest.mark.parametrize("service", ["migrate", "api"])
def test_a_service_runs_a_command_that_exists(service):
    parse(SERVICES[service]["command"])


def test_the_image_runs_a_command_that_exists():
    assert instructions("ENTRYPOINT") == ['["gridgov"]']
    parse(yaml.safe_load(instructions("CMD")[-1]))


def test_every_file_the_image_copies_is_there_and_not_ignored():
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"
    }
    copied = {
        source
        for words in map(shlex.split, instructions("COPY"))
        if not words[0].startswith("--from")
        for source in words[:-1]
    }
    assert copied == let_in
    assert not [source for source in copied if not (ROOT / source).exists()]


def test_the_image_does_not_run_as_root():
    assert instructions("USER") == ["gridgov"]


def test_the_database_is_ready_before_it_is_migrated_and_migrated_before_it_is_served():
    assert SERVICES["db"]["healthcheck"]["test"][1] == "pg_isready"
    assert SERVICES["migrate"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert SERVICES["api"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_no_password_is_written_down():
    passwords = {
        value
        for service in SERVICES.values()
        for key, value in service["environment"].items()
        if "PASSWORD" in key
    }
    assert passwords
    assert all(re.match(r"\$\{GRIDGOV_DB_PASSWORD:\?.+\}$", value) for value in passwords)


def test_the_log_is_as_private_as_the_embedded_one():
    from data.cluster import SETTINGS

    private = {
        f"--{key}={value}" for key, value in SETTINGS.items() if re.match("log_(min|error|param)", key)
    }
    assert len(private) == 5
    assert private <= set(SERVICES["db"]["command"])


def test_the_libraries_are_pinned_by_hash_and_come_from_no_named_index():
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt"):
        text = (ROOT / lock).read_text("utf-8")
        entries = re.split(r"\n(?=[a-z])", text)[1:]
        assert len(entries) > 50
        assert all(re.match(r"[\w.-]+==\S+ \\\n    --hash=sha256:", entry) for entry in entries), lock
        assert not re.search(r"https?:|file://|--(?:extra-)?index-url|--find-links", text), lock
