"""Files sent over HTTP: kept, imported by a worker's job, and gone afterwards."""

from __future__ import annotations

import bz2
import io
import os
import resource
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import uploads
from api.kinds import kinds
from api.permissions import ACTIONS
from data import audit, jobs
from data.settings import Settings
from etl import accounts
from etl.actor import SYSTEM
from etl.establish import establish
from etl.jobs import cancel, run_next
from etl.ledger import import_ledger
from etl.retention import forget
from tests import ledgers
from tests.ledgers import CODE, NAME

PHRASE = "a password that is long"
ROUTE = "/api/v1/imports"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path / "data", max_body_bytes=2000, max_upload_bytes=400_000)


@pytest.fixture
def folder(tmp_path) -> Path:
    return ledgers.write_ledger(tmp_path / "ledger", boundaries=True)


@pytest.fixture
def client(store, folder, settings, serving) -> Iterator[TestClient]:
    """A planner of a district whose ledger was imported once."""
    import_ledger(store, SYSTEM, CODE, folder, name=NAME, crs="wgs84")
    for role in ("planner", "dispatcher", "approver"):
        accounts.add(store, SYSTEM, role, PHRASE, roles=[role], scope=[CODE])
    with serving(**settings.model_dump()) as client:
        client.headers |= bearer(store, "planner")
        yield client


@pytest.fixture
def work(store, settings):
    """``work(job)`` has a worker do the next job of the kind; it returns how the job stands then."""

    def do(number: int) -> jobs.Job:
        with store.read(CODE) as connection:
            kind = jobs.get(connection, CODE, number).kind
        assert run_next(store, CODE, kinds(settings)[kind], settings.files)
        with store.read(CODE) as connection:
            return jobs.get(connection, CODE, number)

    return do


def bearer(store, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.sign_in(store, name, PHRASE, hours=1).token}"}


def changed(folder: Path, *, households: object = 99, encoding: str = "utf-8") -> Path:
    rows = ledgers.buildings()
    rows[0]["households"] = households
    return ledgers.write_csv(folder / "buildings.csv", rows, encoding=encoding)


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()


def send(client: TestClient, *files: tuple[str, bytes], **fields: str):
    return client.post(ROUTE, files=[("files", file) for file in files], data={"crs": "wgs84", **fields})


def sent(client: TestClient, *paths: Path, **fields: str) -> int:
    answer = send(client, *((path.name, path.read_bytes()) for path in paths), **fields)
    assert answer.status_code == 202, answer.text
    assert answer.json()["files"] == sorted(path.name for path in paths)
    return answer.json()["job"]


def kept(settings: Settings) -> list[Path]:
    return [path for path in (settings.files / "uploads").rglob("*") if path.is_file()]


def newest(client: TestClient) -> dict:
    return client.get(ROUTE).json()["imports"][0]


def test_files_are_imported_by_a_job_and_not_kept(client, folder, settings, work):
    changed(folder)
    job = sent(client, *sorted(folder.iterdir()))
    assert len(kept(settings)) == 3
    done = work(job)
    assert (done.state, done.actor["id"]) == ("succeeded", "planner")
    assert done.result["counts"]["buildings"]["changed"] == 1
    assert done.result["cells_job"] is None  # no plan is in force
    shown = newest(client)
    assert (shown["id"], shown["source"], shown["actor"]) == (
        done.result["import_id"],
        "buildings.csv +2",
        "planner",
    )
    assert kept(settings) == []
    again = work(sent(client, *sorted(folder.iterdir())))
    assert (again.state, again.result["import_id"]) == ("succeeded", None)


def test_cells_are_made_anew_where_a_plan_is_in_force_and_after_an_undo_too(
    client, store, folder, settings, work
):
    establish(store, SYSTEM, CODE, target=40)
    rows = ledgers.buildings()
    rows[0]["lon"] += 0.001
    ledgers.write_csv(folder / "buildings.csv", rows)
    done = work(sent(client, folder / "buildings.csv", retire="true"))
    made = work(done.result["cells_job"])
    assert (made.kind, made.actor["id"], made.state) == ("build_cells", "planner", "succeeded")
    assert made.result["added"] > 0
    undone = client.post(f"{ROUTE}/{done.result['import_id']}/undo").json()
    assert work(undone["cells_job"]).result["added"] > 0


def test_an_import_is_undone_by_a_job_and_its_cells_follow(client, store, folder, work):
    establish(store, SYSTEM, CODE, target=40)
    changed(folder)
    number = work(sent(client, folder / "buildings.csv")).result["import_id"]
    asked = {"kind": "undo_import", "params": {"import_id": number}}
    first, second = (client.post("/api/v1/jobs", json=asked).json()["id"] for _ in range(2))
    assert first == second
    done = work(first)
    assert (done.state, done.result["import_id"]) == ("succeeded", number)
    assert work(done.result["cells_job"]).state == "succeeded"
    assert newest(client)["state"] == "undone"
    assert "undone already" in work(client.post("/api/v1/jobs", json=asked).json()["id"]).error["fault"]


@pytest.mark.parametrize("kind", ["import_ledger", "undo_import"])
def test_a_worker_killed_after_its_commit_asks_for_the_cells_and_does_nothing_twice(
    client, store, folder, settings, work, monkeypatch, kind
):
    establish(store, SYSTEM, CODE, target=40)
    changed(folder)
    job = sent(client, folder / "buildings.csv")
    if kind == "undo_import":
        asked = {"kind": kind, "params": {"import_id": work(job).result["import_id"]}}
        job = client.post("/api/v1/jobs", json=asked).json()["id"]
    cut = kinds(settings)[kind]
    with monkeypatch.context() as patch:  # the process ends where the cells would be asked for
        patch.setattr("api.kinds.ask_for_cells", killed)
        with pytest.raises(SystemExit):
            run_next(store, CODE, cut, settings.files)
    done = work(job)
    assert (done.state, done.attempts) == ("succeeded", 2)
    assert done.result["cells_job"] is not None
    with store.read(CODE) as connection:
        acts = [entry.action for entry in audit.entries(connection, CODE)]
    assert (acts.count("import.load"), acts.count("import.undo")) == (2, int(kind == "undo_import"))
    assert kept(settings) == []


def killed(*_: object) -> None:
    raise SystemExit


def test_a_refused_batch_fails_the_job_and_stays_on_record(client, folder, settings, work):
    changed(folder, households="-5")
    done = work(sent(client, folder / "buildings.csv"))
    assert done.state == "failed"
    assert "1 rows were refused" in done.error["fault"]
    shown = newest(client)
    assert (shown["state"], shown["source"]) == ("refused", "buildings.csv")
    assert kept(settings) == []
    skipped = work(sent(client, folder / "buildings.csv", skip_refused="on"))
    assert (skipped.state, skipped.result["refused"]) == ("succeeded", 1)


def test_a_dry_run_tells_and_changes_nothing(client, folder, work):
    changed(folder)
    done = work(sent(client, folder / "buildings.csv", dry_run="1"))
    assert done.result["differences"]["recounted"]["count"] == 1
    assert (done.result["dry_run"], done.result["import_id"], newest(client)["id"]) == (True, None, 1)
    assert work(sent(client, folder / "buildings.csv")).result["counts"]["buildings"]["changed"] == 1


def test_an_archive_of_a_folder_with_chinese_names_in_gbk_is_unpacked(client, folder, settings, work):
    changed(folder, encoding="gbk")
    content = packed(
        {
            "LLLL/BBBB.csv": (folder / "buildings.csv").read_bytes(),
            "ledger/": b"",
            "ledger/compounds.csv": (folder / "compounds.csv").read_bytes(),
            "ledger/readme.txt": b"left out",
            "__MACOSX/._compounds.csv": b"left out",
        }
    ).replace(b"LLLL/BBBB.csv", "台账/楼栋.csv".encode("gbk"))
    answer = send(client, ("七月台账.zip", content))
    assert answer.json()["files"] == ["compounds.csv", "楼栋.csv"]
    done = work(answer.json()["job"])
    assert (done.state, done.result["source"]) == ("succeeded", "七月台账")
    assert done.result["counts"]["buildings"]["changed"] == 1


def test_an_extract_of_openstreetmap_is_imported(client, work):
    houses = "".join(
        f'<node id="{i}{k}" lat="{31.6 + 0.001 * i + dy}" lon="{118.4 + dx}"/>'
        for i in range(1, 4)
        for k, (dx, dy) in enumerate([(0, 0), (0.0002, 0), (0.0002, 0.0002), (0, 0.0002)])
    ) + "".join(
        f'<way id="{i}">'
        + "".join(f'<nd ref="{i}{k}"/>' for k in (0, 1, 2, 3, 0))
        + '<tag k="building" v="apartments"/></way>'
        for i in range(1, 4)
    )
    extract = f'<osm version="0.6">{houses}</osm>'.encode()
    answer = send(client, ("town.osm.bz2", bz2.compress(extract)), kind="osm", partial="true", crs="")
    assert answer.status_code == 202, answer.text
    done = work(answer.json()["job"])
    assert (done.state, done.result["counts"]["buildings"]["new"]) == ("succeeded", 3), done.error


BAD_FILES = [
    ([], {}, "No file"),
    ([("", b"")], {}, "No file"),
    ([("notes.docx", b"x")], {}, "no file that can be imported"),
    ([("../buildings.csv", b"x")], {}, "name of a file"),
    ([(".csv", b"x")], {}, "name of a file"),
    ([("a.csv", b"x"), ("a.csv", b"x")], {}, "two files"),
    ([("l.zip", b"no archive")], {}, "cannot be unpacked"),
    ([("l.zip", packed({"../../buildings.csv": b"x"}))], {}, "outside"),
    ([("l.zip", packed({"/etc/buildings.csv": b"x"}))], {}, "outside"),
    ([("l.zip", packed({"..\\buildings.csv": b"x"}))], {}, "outside"),
    ([("l.zip", packed({"a/x.csv": b"1", "b/x.csv": b"2"}))], {}, "two files"),
    ([("l.zip", packed({"readme.txt": b"x"}))], {}, "holds no file"),
    ([("l.zip", packed({"buildings.csv": bytes(2_000_001)}))], {}, "too large"),
    ([("l.zip", packed({f"{n}.csv": b"" for n in range(uploads.MAX_FILES + 1)}))], {}, "more than"),
    ([("book.xlsx", packed({"sheet.xml": bytes(2_000_001)}))], {}, "too large"),
    ([("town.osm.bz2", bz2.compress(bytes(2_000_001)))], {"kind": "osm"}, "too large"),
    ([("town.osm.bz2", b"no archive")], {"kind": "osm"}, "damaged"),
    ([("town.osm.pbf", b"x")], {"kind": "osm"}, "no file that can be imported"),
    ([("a.osm", b"x"), ("b.osm", b"x")], {"kind": "osm"}, "one file"),
    ([("a.csv", b"x")], {"kind": "tiles"}, "no kind of import"),
    ([("a.csv", b"x")], {"colour": "red"}, "colour"),
    ([("a.csv", b"x")], {"dry_run": "perhaps"}, "dry_run"),
    ([("a.osm", b"x")], {"kind": "osm", "skip_refused": "true"}, "skip_refused"),
    ([("a.csv", b"x")], {"crs": "mars"}, "mars"),
]


def test_what_cannot_be_imported_is_refused_at_once_and_nothing_is_kept(client, settings):
    for files, fields, fault in BAD_FILES:
        crs = {} if fields.get("kind") == "osm" else {"crs": "wgs84"}
        answer = client.post(ROUTE, files=[("files", file) for file in files], data={**crs, **fields})
        assert answer.status_code in (400, 422), (files, answer.text)
        assert fault in answer.json()["detail"], (files, answer.text)
    assert kept(settings) == []
    assert client.get("/api/v1/jobs").json()["jobs"] == []


def test_only_uploads_may_be_large_and_only_from_those_who_may(client, store):
    content = os.urandom(300_000)
    assert send(client, ("a.csv", content)).status_code == 202
    assert send(client, ("a.csv", content * 2)).status_code == 413
    parts = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(ROUTE, content=iter([content] * 2), headers=parts).status_code == 413
    assert client.post("/api/v1/jobs", content=content).status_code == 413
    assert client.post(ROUTE, content=b"{}").status_code == 400
    asked = {"files": {"files": ("a.csv", b"x")}}
    assert client.post(ROUTE, **asked, headers=bearer(store, "dispatcher")).status_code == 403
    assert client.post(ROUTE, **asked, headers={"Authorization": ""}).status_code == 401


def test_files_there_is_no_room_for_are_not_kept_in_part(client, settings):
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # to this process, a disk that is full
    try:
        answer = send(client, ("a.csv", b"x"), ("b.csv", bytes(300_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert (answer.status_code, "cannot be kept" in answer.json()["detail"]) == (503, True)
    assert kept(settings) == []


def test_a_new_district_is_not_begun_by_an_upload(client, store):
    accounts.add(store, SYSTEM, "chief", PHRASE, roles=["admin"])
    answer = client.post(
        ROUTE,
        params={"district": "990009"},
        files={"files": ("a.csv", b"x")},
        headers=bearer(store, "chief"),
    )
    assert answer.status_code == 404


def test_another_upload_cannot_be_reached_by_a_made_up_token(client, work):
    for token, status in (("../../secret", 400), ("a" * 32, 202)):
        asked = {"kind": "import_ledger", "params": {"upload": token}}
        answer = client.post("/api/v1/jobs", json=asked)
        assert answer.status_code == status
    assert "not kept any more" in work(answer.json()["id"]).error["fault"]


def test_whoever_may_ask_for_jobs_may_ask_for_imports():
    assert ACTIONS["job.run"] == ACTIONS["import.run"] == ACTIONS["import.undo"]


def test_left_over_uploads_are_deleted_after_a_day(client, store, settings, folder):
    waiting, ended, fresh = (
        sent(client, path)
        for path in (folder / "buildings.csv", folder / "compounds.csv", folder / "compounds.csv")
    )
    for number in (ended, fresh):
        cancel(store, SYSTEM, CODE, number)
    with store.read(CODE) as connection:
        tokens = {
            number: jobs.get(connection, CODE, number).params["upload"] for number in (waiting, ended, fresh)
        }
    yesterday = time.time() - 90_000
    for number in (waiting, ended):
        os.utime(settings.files / "uploads" / CODE / tokens[number], (yesterday, yesterday))
    assert forget(store, SYSTEM, CODE, settings.files).uploads == 1
    assert {path.name for path in (settings.files / "uploads" / CODE).iterdir()} == {
        tokens[waiting],
        tokens[fresh],
    }


def test_the_page_takes_files_without_a_script(client, store, folder, work):
    changed(folder)
    answer = client.post(
        "/imports",
        files={"files": ("buildings.csv", (folder / "buildings.csv").read_bytes())},
        data={"kind": "ledger", "crs": "wgs84", "partial": "on"},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/imports?done=send")
    page = client.get("/imports?done=send").text
    assert page.count('data-events="/api/v1/jobs/') == 1
    with store.read(CODE) as connection:
        (waiting,) = jobs.unfinished(connection, CODE)
    assert work(waiting.id).state == "succeeded"
    assert "buildings.csv · 新增 0、变更 1" in client.get("/imports").text
    refused = client.post("/imports", files={"files": ("a.docx", b"x")}, headers={"Accept": "text/html"})
    assert (refused.status_code, "填写有误" in refused.text) == (400, True)
    client.headers |= bearer(store, "approver")
    assert 'action="/imports"' not in client.get("/imports").text
