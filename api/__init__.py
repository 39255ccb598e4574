"""The edges: HTTP (FastAPI) and the command line."""
