"""Pure geometry, balancing and locating: no database, files, clock, environment or web."""

__version__ = "0.1.0"
