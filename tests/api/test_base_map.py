"""The optional base map over HTTP: off by default, told to pages, its host alone in the landing page's policy."""

from __future__ import annotations

import pytest

from api.policy import policy
from geo.errors import SetupError
from tests.unit.test_base_map import PICTURE, mbtiles

ADDRESS = "https://t.example.org:8443/{z}/{x}/{y}.png"


def test_by_default_there_is_none_and_pages_ask_nobody_else(serving):
    with serving() as client:
        assert client.get("/api/v1/base").json() is None
        assert client.get("/").headers["content-security-policy"] == policy()
        assert client.get("/base/0/0/0").status_code == 404


def test_an_address_is_told_and_its_host_alone_joins_the_landing_pages_policy(serving):
    with serving(base_tiles=ADDRESS, base_attribution="© 试验", base_crs="gcj02", base_max_zoom=17) as client:
        assert client.get("/api/v1/base").json() == {
            "tiles": ADDRESS,
            "crs": "gcj02",
            "attribution": "© 试验",
            "min_zoom": 0,
            "max_zoom": 17,
        }
        assert client.get("/").headers["content-security-policy"] == policy("https://t.example.org:8443")
        assert client.get("/sign-in").headers["content-security-policy"] == policy()
        assert client.get("/base/0/0/0").status_code == 404


def test_a_file_is_served_from_here_and_kept_by_browsers_while_it_is_the_same(serving, tmp_path):
    with serving(base_tiles=str(mbtiles(tmp_path / "a.mbtiles")), base_attribution="© 试验") as client:
        told = client.get("/api/v1/base").json()
        assert (told["min_zoom"], told["max_zoom"]) == (1, 1)
        assert client.get("/").headers["content-security-policy"] == policy()
        fixed = "/" + told["tiles"].format(z=1, x=1, y=0)
        found = client.get(fixed)
        assert (found.content, found.headers["content-type"]) == (PICTURE, "image/png")
        assert "immutable" in found.headers["cache-control"]
        assert client.get("/base/1/1/0").headers["cache-control"] == "no-cache"
        assert client.get("/base/1/0/0").status_code == 204
        assert client.get("/base/1/2/0").status_code == 404
        for wrong in ("-1/0/0", "31/0/0", "a/0/0", "1/1.5/0", f"1/{10**30}/0"):
            assert 400 <= client.get(f"/base/{wrong}").status_code < 500


def test_a_server_set_wrong_does_not_start(serving):
    with pytest.raises(SetupError, match="whom maps must name"), serving(base_tiles=ADDRESS):
        pass
