# make demo      a governed district in the browser, from nothing
# make test      every check and test
# make help      the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help setup demo test test-unit check bench bench-balance bench-city kills lock clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What the system must have is looked at first: a run that cannot go on changes nothing.
packages-%:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer."; exit 1; }
	@$(PYTHON) .ci/system_packages.py $*

setup: packages-demo $(VENV)/ready ## install what running needs, in .venv and from the system's packages
demo: setup ## serve the demo district and print its addresses
	@exec $(BIN)/gridgov demo

test: packages-test check ## run every check and test
	@exec $(BIN)/pytest --numprocesses 2 --dist loadfile
test-unit: packages-test-unit $(VENV)/ready-dev ## run the tests that need no database
	@exec $(BIN)/pytest tests/unit
check: packages-test-unit $(VENV)/ready-dev ## look for faults, untidy format and wrong types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
bench: packages-demo $(VENV)/ready-dev ## measure speed and quality by ratios (about five minutes)
	@exec $(BIN)/python -m tests.bench
bench-balance: packages-demo $(VENV)/ready-dev $(VENV)/ready-bench ## measure the balance engine against others; SIZE=nightly for the long run
	@exec $(BIN)/python -m tests.bench.rivals $(if $(SIZE),--size $(SIZE))
bench-city: packages-demo $(VENV)/ready-dev ## balance a made-up city of 20 districts: what a cell costs, and memory
	@exec $(BIN)/python -m tests.bench.city
kills: packages-demo $(VENV)/ready-dev ## kill some hundred acts in the middle, and look for districts left torn
	@exec $(BIN)/python -m tests.bench.kills

PIN := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --build-deps-for editable
# A version that Debian 12's Python takes is taken by every later one; a newer Python would pin others.
lock: packages-test-unit $(VENV)/ready-dev ## pin the newest versions of all libraries; needs Python 3.11.2
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:3] > (3, 11, 2) and "make clean lock PYTHON=a Python 3.11.2")'
	@echo "Asking for the newest versions (a few minutes) ..."
	@$(PIN) --output-file requirements.txt pyproject.toml
	@$(PIN) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	@$(PIN) --extra bench --constraint requirements-dev.txt --output-file requirements-bench.txt pyproject.toml
clean: ## remove .venv and whatever was built; the database stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
$(VENV)/ready: requirements.txt
$(VENV)/ready-dev: requirements-dev.txt
$(VENV)/ready-bench: requirements-bench.txt
$(VENV)/ready $(VENV)/ready-dev $(VENV)/ready-bench: pyproject.toml $(BIN)/python
	@echo "Installing the libraries pinned in $(filter req%,$^) (a minute or two the first time) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(filter req%,$^)
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
