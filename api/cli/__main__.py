"""``python -m api.cli``: the command line, where the console script is not at hand."""

from __future__ import annotations

from api.cli.main import main

main()
