"""Links between the OGC's documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from api.ogc.downloads import KINDS
from api.ogc.serving import GEOJSON, HTML

Address = Callable[..., str]
"""From parameters to the address of one document."""
FEATURES: Mapping[str, tuple[str, str]] = {
    "json": ("GeoJSON", GEOJSON),
    "html": ("HTML", HTML),
    **{name: (kind.title, kind.media_type) for name, kind in KINDS.items()},
}
"""The formats features come in: title and type."""


def link(href: str, rel: str, media_type: str, title: str = "") -> dict[str, str]:
    """Return a link as the OGC's documents have it."""
    return {"href": href, "rel": rel, "type": media_type, **({"title": title} if title else {})}


def selves(address: Address, media_type: str, title: str = "") -> list[dict[str, str]]:
    """Return the links of a document to itself and to the same for people."""
    return [link(address(), "self", media_type, title), link(address(f="html"), "alternate", HTML, "HTML")]


def features(rel: str, address: Address, title: str = "") -> list[dict[str, str]]:
    """Return links to the same features in each of `FEATURES` but the first, which is as `address` has it."""
    first, *others = FEATURES.items()
    return [
        link(address(), rel, first[1][1], title),
        *(link(address(f=name), rel, kind, f"{title} {of}".strip()) for name, (of, kind) in others),
    ]
