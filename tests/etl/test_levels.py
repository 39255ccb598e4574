"""What maps draw is made in the transaction that changes grids or communities."""

from __future__ import annotations

import pytest

from data import levels
from data.layers import LAYERS
from etl.actor import SYSTEM
from etl.edits import Move
from etl.ledger import import_ledger
from geo.errors import ConflictError
from geo.simplify import FINEST
from tests.governed import HOUR, Governed
from tests.ledgers import CODE, NAME, write_ledger

ZOOMS = FINEST - LAYERS["grids"].zooms[0] + 1


def kept(place: Governed, layer: str) -> dict[int, int]:
    """Return how many areas, each once a zoom, are kept of a layer by edition."""
    return dict(
        place.query(
            "SELECT edition, count(*) FROM coverage_levels WHERE layer = :layer GROUP BY 1", layer=layer
        )
    )


def test_a_publication_keeps_what_is_drawn_of_its_grids_at_each_zoom(place):
    first = place.plan(1).id
    assert kept(place, "grids") == {first: len(place.grids()) * ZOOMS}
    number = place.open()
    west, east = place.grids()[:2]
    place.move(number, Move(east, grids=[west]))
    assert kept(place, "grids").keys() == {first}  # drafts are not drawn
    place.put_out(number, place.now() + HOUR)
    coming = place.plan(number).id
    assert kept(place, "grids") == {
        first: len(place.grids()) * ZOOMS,
        coming: len(place.grids(number)) * ZOOMS,
    }
    assert len(place.grids(number)) == len(place.grids()) - 1


def test_an_act_that_fails_keeps_nothing(place):
    before = kept(place, "grids")
    number = place.open()
    with pytest.raises(ConflictError):
        place.publish(number)  # nobody approved it
    assert kept(place, "grids") == before


@pytest.mark.parametrize("state", ["scheduled", "published", "superseded"])
def test_nothing_is_missing_of_whatever_was_published(place, state):
    place.brought(state)
    with place.store.read(place.code) as connection:
        assert levels.missing(connection, place.code, past=True) == []


def test_an_import_keeps_communities_in_their_present_version_alone(store, tmp_path):
    """Boundaries are drawn from buildings first, and stated by the ledger after."""
    place = Governed(store, CODE)
    for boundaries in (False, True):
        folder = write_ledger(tmp_path / str(boundaries), boundaries=boundaries)
        import_ledger(store, SYSTEM, CODE, folder, name=NAME, crs="wgs84")
        ((version,),) = place.query("SELECT version FROM data_versions WHERE layer = 'communities'")
        assert kept(place, "communities") == {version: 2 * ZOOMS}
        ((drawn, stored),) = place.query(
            "SELECT ST_Area(ST_Union(ST_Transform(l.shape, 4326))),"
            " (SELECT ST_Area(ST_Union(boundary)) FROM communities)"
            " FROM coverage_levels l WHERE layer = 'communities' AND zoom = 16"
        )
        assert drawn == pytest.approx(stored, rel=1e-3)
