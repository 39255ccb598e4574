"""OpenStreetMap import: buildings, streets, barriers, ground and administrative areas as a district's register."""

from etl.osm.importing import OsmReport, import_osm

__all__ = ["OsmReport", "import_osm"]
