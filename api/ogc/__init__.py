"""OGC API - Features: the map layers for GIS clients."""
