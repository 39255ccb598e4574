"""The design's rules on structure, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "geo": set(),
    "data": {"geo"},
    "maps": {"geo"},
    "etl": {"geo", "data"},
    "api": {"geo", "data", "maps", "etl"},
}
FOLDERS = {*MAY_IMPORT, "tests", "docs"}

# What would let geo/ touch a database, files, the clock, the environment, the web or chance.
IMPURE = {
    "os io pathlib shutil tempfile glob sqlite3 subprocess socket",
    "time random secrets uuid",
    "urllib http requests httpx fastapi starlette typer rich",
    "sqlalchemy geoalchemy2 alembic psycopg pyogrio",
}

# A migration is its own transaction.
MAY_COMMIT = {"data/session.py"}


def sources(*layers: str) -> list[Path]:
    return sorted(path for layer in layers for path in (ROOT / layer).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def imported(path: Path) -> set[str]:
    """Names of the top-level packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs when its module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in [*child.decorator_list, *child.args.defaults, *child.args.kw_defaults]:
                yield from at_import(part) if part else ()
        elif not isinstance(child, ast.Lambda):
            yield from at_import(child)


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_lies_below_it(layer):
    allowed = MAY_IMPORT[layer] | {layer}
    crossing = {name(path): imported(path) & FOLDERS - allowed for path in sources(layer)}
    assert not {path: layers for path, layers in crossing.items() if layers}


def calls(path: Path) -> set[str]:
    """Names of the functions and methods that a file calls."""
    called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return {getattr(function, "id", "") or getattr(function, "attr", "") for function in called}


def test_geo_is_pure():
    modules = {word for words in IMPURE for word in words.split()}
    found = {
        name(path): imported(path) & modules | calls(path) & {"open", "now", "utcnow", "today"}
        for path in sources("geo")
    }
    assert not {path: words for path, words in found.items() if words}


def test_only_the_session_commits():
    commits = {name(path) for path in sources(*MAY_IMPORT) if "commit" in calls(path)}
    assert commits <= MAY_COMMIT


def test_nothing_reads_the_environment_at_import():
    def reads(node: ast.AST) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        return (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}) or (
            isinstance(called, ast.Name) and called.id in {"Settings", "getenv"}
        )

    found = {name(path) for path in sources(*MAY_IMPORT) if any(map(reads, at_import(tree(path))))}
    assert not found


def test_there_is_no_other_folder():
    built = {"build", "dist"}
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert {folder for folder in found - built if not folder.endswith(".egg-info")} <= FOLDERS


def test_only_the_automation_names_the_shared_folder():
    shared = "/".join(["..", "shared"]).encode()
    folders = [*FOLDERS, ".ci"]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    assert {name(path) for path in files if shared in path.read_bytes()} <= {".ci/run"}


def test_the_environment_check_sees_what_runs_at_import():
    """The walk that the rule above rests on takes class bodies and defaults, and leaves functions out."""
    source = ast.parse("class A:\n    x = one\ndef f(y=two, *, z=three):\n    four\n")
    names = {node.id for node in at_import(source) if isinstance(node, ast.Name)}
    assert names >= {"one"}
    assert "four" not in names
