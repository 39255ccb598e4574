"""Map layers are never stale: an answer is kept until what it was made from changes, and no longer."""

from __future__ import annotations

import time

from sqlalchemy import text

from data import versions
from tests import town
from tests.api.test_ogc_core import OGC, get

CODE = "340504"
SITES = f"{OGC}/collections/sites/items"


def rename(store, name: str, layer: str = "sites") -> None:
    with store.begin(CODE) as connection:
        connection.execute(text("UPDATE sites SET name = :name WHERE external_code = 'S1'"), {"name": name})
        versions.advance(connection, CODE, layer)


def names(answer) -> set[str]:
    return {feature["properties"]["name"] for feature in answer.json()["features"]}


def test_what_this_process_wrote_is_told_from_its_answer_on(store, serving):
    town.build(store)
    with serving() as client:
        first = client.get(SITES)
        version = int(first.headers["gridgov-version"])
        for number in range(20):
            rename(store, f"站{number}")
            client.app.state.served.catch_up(CODE)  # as every write does before it answers
            for path in (SITES, f"{SITES}/{first.json()['features'][0]['id']}"):
                answer = client.get(path, headers={"if-none-match": first.headers["etag"]})
                assert answer.status_code == 200
                assert f"站{number}" in answer.text
                assert int(answer.headers["gridgov-version"]) == version + number + 1
            held = client.get(SITES)
            assert client.get(SITES, headers={"if-none-match": held.headers["etag"]}).status_code == 304


def test_what_another_process_wrote_is_told_soon(store, serving):
    town.build(store)
    with serving() as client:
        held = client.get(SITES)
        rename(store, "别处改名")
        ends = time.monotonic() + 20
        while "别处改名" not in names(client.get(SITES)):
            assert time.monotonic() < ends
            time.sleep(0.05)
        assert client.get(SITES, headers={"if-none-match": held.headers["etag"]}).status_code == 200


def test_an_older_version_than_named_is_never_told(store, serving):
    town.build(store)
    with serving() as client:
        version = int(client.get(SITES).headers["gridgov-version"])
        assert client.get(SITES, params={"min_version": version}).status_code == 200
        rename(store, "新版本")
        answer = client.get(SITES, params={"min_version": version + 1})
        assert (answer.status_code, "新版本" in names(answer)) == (200, True)
        late = client.get(SITES, params={"min_version": version + 2})
        assert (late.status_code, late.headers["retry-after"]) == (503, "2")


def test_a_plan_takes_effect_at_its_instant(store, serving):
    town.build(store)
    grids = f"{OGC}/collections/grids/items"
    with serving() as client:
        assert len(get(client, grids)["features"]) == 4
        with store.begin(CODE) as connection:
            connection.execute(
                text(
                    "UPDATE plans SET valid = tstzrange(lower(valid), now() + interval '2 seconds') WHERE number = 2"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO plans (district, number, title, state, origin, cell_set, target, tolerance_percent,"
                    " author, valid) SELECT district, 9, 'x', 'published', 'edited', 1, 300, 10, 'test',"
                    " tstzrange(upper(valid), NULL) FROM plans WHERE number = 2"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO plan_grids (district, plan_id, grid_id, households, buildings, area_m2, perimeter_m,"
                    " shape) SELECT pg.district, (SELECT id FROM plans WHERE number = 9), pg.grid_id, 645, 1, 1, 1,"
                    " pg.shape FROM plan_grids pg JOIN plans p ON p.id = pg.plan_id WHERE p.number = 1"
                )
            )
            versions.advance(connection, CODE, "grids", "plans", "locate")
        client.app.state.served.catch_up(CODE)
        before = client.get(grids)
        assert (len(before.json()["features"]), before.headers["gridgov-plan"]) == (4, "2")
        coming = client.get(grids, params={"plan": 9})
        assert (len(coming.json()["features"]), coming.headers["gridgov-plan"]) == (1, "9")
        ends = time.monotonic() + 20
        while (answer := client.get(grids)).headers.get("gridgov-plan") == "2":
            assert len(answer.json()["features"]) == 4
            assert time.monotonic() < ends
            time.sleep(0.02)
        assert (answer.headers["gridgov-plan"], len(answer.json()["features"])) == ("9", 1)


def test_a_change_of_one_layer_leaves_the_others_as_they_are(store, serving):
    town.build(store)
    buildings = f"{OGC}/collections/buildings/items"
    with serving() as client:
        sites, others = client.get(SITES), client.get(buildings)
        rename(store, "新名")
        client.app.state.served.catch_up(CODE)
        again = client.get(buildings, headers={"if-none-match": others.headers["etag"]})
        assert again.status_code == 304
        versions_told = [
            int(answer.headers["gridgov-version"]) for answer in (others, again, client.get(SITES))
        ]
        assert versions_told == [versions_told[0], versions_told[0] + 1, versions_told[0] + 1]
        assert client.get(SITES, headers={"if-none-match": sites.headers["etag"]}).status_code == 200
