# The two commands a newcomer needs are `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: run test fast check bench bench-memory docs clean

# What `make run` needs: the package alone. Installed anew when the project file changes.
$(VENV)/.run: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(VENV)/.docs: $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --group docs
	@touch $@

# The demo's tables, brought up to date when a migration is new or its database is gone.
examples/club/club.db: $(VENV)/.run $(wildcard examples/club/migrations/*.py)
	@cd examples && ../$(BIN)/segue --app club migrate
	@touch $@

# A key of this checkout's own; in development it is read from here.
examples/club/.env: $(VENV)/.run
	@echo "SECRET_KEY=$$($(BIN)/segue secret)" > $@

run: $(VENV)/.run examples/club/.env examples/club/club.db
	@cd examples && exec ../$(BIN)/segue --app club run --port $(PORT)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

# What runs in the test process alone, on SQLite: for the time between two edits.
fast: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow and not server"

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests examples
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_layers.py tests/docs

# Compares with the peers, in an environment of its own that the first call makes; about 20 minutes.
bench: $(VENV)/.run
	$(BIN)/python -m benchmarks.inprocess
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.routing
	$(BIN)/python -m benchmarks.http
	$(BIN)/python -m benchmarks.orm
	$(BIN)/python -m benchmarks.site
	$(BIN)/python -m benchmarks.site.unused
	$(BIN)/python -m benchmarks.site.forms

# A million requests of mixed kinds; about 5 minutes.
bench-memory: $(VENV)/.run
	$(BIN)/python -m benchmarks.memory

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf $(VENV) docs/_build build dist .pytest_cache .mypy_cache .ruff_cache
