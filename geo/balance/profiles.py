"""What a planner wants most: the profiles, each a set of costs with plain names.

Legality is never weighed: every proposal's grids are connected, each inside one container. Then candidates are
compared in order by pairs that break a lock apart, by grids out of the band (where ``band_first``), and last by
the sum of the costs below, which is also what the search walks along.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Costs in points; moving as many households as a grid should have costs ``moved`` points.

    Parameters
    ----------
    name : str
    chinese, english : str
        What it is for, in a few words.
    band : float
        A grid out of the band,
    beyond : float
        and each half band width that it is farther out.
    near : float
        A grid outside the inner half of the band.
    uneven : float
        Square of a grid's deviation in half band widths.
    moved : float
        Moving as many households as a grid should have.
    shape : float
        A grid of no compactness against a circle (Polsby and Popper).
    small_split : float
        A compound that fits into one grid, for each grid more, where it has as many households as a grid should;
        in proportion where it has fewer.
    large_split : float
        A larger compound, for each grid beyond the fewest that hold it.
    old_split : float
        Share of that which a split costs that today's plan has already.
    band_first : bool
        Whether no saving of other costs is worth a grid out of the band.
    """

    name: str
    chinese: str
    english: str
    band: float
    beyond: float
    near: float
    uneven: float
    moved: float
    shape: float
    small_split: float
    large_split: float
    old_split: float
    band_first: bool = True


STABLE = Profile(
    "stable",
    "少变动：达标前提下划转户数最少",
    "few moves: in band, then as few households moved as possible",
    band=40.0,
    beyond=10.0,
    near=0.0,
    uneven=0.05,
    moved=22.0,
    shape=5.0,
    small_split=55.0,
    large_split=1.0,
    old_split=0.3,
)
EVEN = Profile(
    "even",
    "更均衡：尽量在目标户数一半容差之内",
    "tight balance: as many grids as possible within half the band",
    band=40.0,
    beyond=10.0,
    near=10.0,
    uneven=0.5,
    moved=8.0,
    shape=4.0,
    small_split=50.0,
    large_split=3.0,
    old_split=0.5,
)
WHOLE = Profile(
    "whole",
    "保小区：小区尽量不拆分",
    "compounds whole: split as few compounds as possible",
    band=40.0,
    beyond=10.0,
    near=0.0,
    uneven=0.05,
    moved=10.0,
    shape=4.0,
    small_split=100.0,
    large_split=15.0,
    old_split=1.0,
    band_first=False,
)
PROFILES = {profile.name: profile for profile in (STABLE, EVEN, WHOLE)}
