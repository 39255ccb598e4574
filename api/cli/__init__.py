"""The command line, one module a verb; `api.cli.main` puts them together."""
