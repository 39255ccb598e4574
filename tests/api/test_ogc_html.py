"""Map layers for people: every document as a page, with all that it says and links to."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from data.layer import PUBLIC
from data.layers import LAYERS
from tests import town

OGC = "/ogc"
GRIDS = f"{OGC}/collections/grids"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
DOCUMENTS = (
    OGC,
    f"{OGC}/conformance",
    f"{OGC}/collections",
    *(f"{OGC}/collections/{name}" for name, layer in LAYERS.items() if layer.action == PUBLIC),
    f"{GRIDS}/queryables",
    f"{GRIDS}/sortables",
    f"{GRIDS}/items",
    f"{GRIDS}/items/{town.grid_code(1)}",
)
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Read(HTMLParser):
    """A page taken apart: its text, its links, its forms' fields; every element must be closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.by_rel: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "a":
            self.links.append(named["href"])
            self.by_rel[named.get("rel", "")] = named["href"]
        if tag == "input" and "name" in named:
            self.values[named["name"]] = named.get("value") or ""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        optional = {"option", "li"}
        while self._open[-1] != tag:
            assert self._open.pop() in optional
        self._open.pop()

    def handle_data(self, data):
        self.text += data


def page(client: TestClient, path: str, **query: str) -> Read:
    answer = client.get(path, params=query or None, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    return Read(answer.text)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_browser_is_told_in_html_and_a_program_in_json(client, path):
    shown = page(client, path)
    assert "雨山区" in shown.text
    assert "虚构数据" in shown.text
    for accept in ("*/*", "application/json", "application/geo+json, text/html;q=0.5"):
        assert "json" in client.get(path, headers={"Accept": accept}).headers["content-type"]
    assert client.get(path, params={"f": "html"}).text.startswith("<!DOCTYPE html>")
    assert client.get(path, params={"f": "json"}, headers=BROWSER).json()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_page_has_every_link_of_its_document_and_all_lead_somewhere(client, path):
    document = client.get(path, params={"f": "json"}).json()
    links = page(client, path).links
    told = {link["href"] for link in document.get("links", ()) if link["rel"] not in ("self", "alternate")}
    assert told <= set(links)
    for link in set(links):
        assert client.get(link, headers=BROWSER).status_code == 200, link


def test_a_page_of_features_shows_what_the_document_tells(client):
    document = client.get(f"{GRIDS}/items").json()
    shown = page(client, f"{GRIDS}/items")
    assert f"{document['numberMatched']} 个" in shown.text
    for feature in document["features"]:
        assert feature["id"] in shown.text
        assert str(feature["properties"]["households"] or "—") in shown.text


def test_a_feature_shows_its_properties_and_its_coordinates(client):
    document = client.get(f"{GRIDS}/items/{town.grid_code(1)}").json()
    shown = page(client, f"{GRIDS}/items/{town.grid_code(1)}")
    for name in document["properties"]:
        assert name in shown.text
    assert str(document["geometry"]["coordinates"][0][0][0][0]) in shown.text


def test_pages_lead_on_to_the_last_feature(client):
    found, path = [], f"{GRIDS}/items?limit=3"
    for _ in range(3):
        shown = page(client, path)
        found += [code for code in map(town.grid_code, (1, 2, 3, 4)) if code in shown.text]
        if "next" not in shown.by_rel:
            break
        path = shown.by_rel["next"]
    assert found == [*map(town.grid_code, (1, 2, 3, 4))]


def test_what_the_form_leaves_empty_is_not_asked_and_what_it_asks_stays(client):
    asked = {
        "filter": "households > 295",
        "bbox": "",
        "sortby": "",
        "name": "",
        "datetime": "",
        "limit": "50",
    }
    del asked["name"]
    shown = page(client, f"{GRIDS}/items", **asked, community="")
    assert town.grid_code(2) in shown.text
    assert town.grid_code(1) not in shown.text
    assert shown.values["filter"] == "households > 295"
    csv = next(link for link in shown.links if "f=csv" in link and "limit" not in link)
    assert "households" in csv
    assert town.grid_code(1) not in client.get(csv).text


def test_html_in_the_data_or_in_the_question_stays_text(client):
    shown = client.get(
        f"{GRIDS}/items", params={"filter": "community <> '<script>alert(1)</script>'"}, headers=BROWSER
    )
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    wrong = client.get(f"{GRIDS}/items", params={"<b>x": "1"}, headers=BROWSER)
    assert wrong.status_code == 400
    assert "<b>x" not in wrong.text


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (f"{GRIDS}/items", {"bbox": "1,2,3"}, 400),
        (f"{GRIDS}/items", {"nothing": "1"}, 400),
        (f"{OGC}/collections/nowhere", {}, 404),
        (f"{GRIDS}/items/000", {}, 404),
        (f"{OGC}/collections/cases/items", {}, 404),
    ],
)
def test_a_fault_is_told_as_a_page_with_its_status(client, path, query, status):
    answer = client.get(path, params=query, headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in answer.text


def test_the_api_can_be_tried_from_a_page(client):
    answer = client.get(f"{OGC}/api", headers=BROWSER)
    assert answer.status_code == 200
    assert "swagger" in answer.text


def test_pages_stay_in_nobodys_cache_and_say_what_they_were_made_from(client):
    answer = client.get(f"{GRIDS}/items", headers=BROWSER)
    assert answer.headers["cache-control"] == "no-store"
    assert "Accept" in answer.headers["vary"]
    assert answer.headers["gridgov-plan"] == "2"
    assert "方案 2" in answer.text
    assert client.head(f"{GRIDS}/items", headers=BROWSER).status_code == 200
