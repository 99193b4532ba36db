# figbridge: everything a clone needs. Python 3.11 or newer and make are enough; the rest is installed into .venv.

SHELL  := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

# How many kills `make faults` makes; `make test` makes only a few of them.
FAULTS     ?= 50
FAULTS_FEW ?= 3
# How many processes of the bridge `make faults-kafka` kills, and for how many seconds processes come and go.
FAULTS_KAFKA     ?= 100
REBALANCES_KAFKA ?= 300
# How often `make faults-restarts` restarts a connector inside changes of keys on each database, and inside COPYs.
FAULTS_RESTARTS ?= 20
# How many processes run the tests, but for the whole campaigns; those with servers mostly wait.
JOBS ?= 2

say = @printf '\n== %s\n' "$(1)"

.NOTPARALLEL:
.PHONY: help venv demo test lint format test-fast test-embedded test-sandbox test-faults faults faults-embedded faults-kafka faults-restarts bench schema constraints clean

help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

venv: $(STAMP) ## Make .venv with everything installed, at the versions of constraints.txt.

$(STAMP): pyproject.toml constraints.txt
	$(call say,making $(VENV); the first time this loads about 200 MB)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "figbridge needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[embedded,dev]'
	@touch $@

demo: $(STAMP) ## Watch a monolith's rows become routed events, in about a minute.
	@$(BIN)/figbridge demo

test: lint test-fast test-embedded test-sandbox test-faults ## Check everything: lint, fast tests, real servers, a few kills.
	$(call say,all passed)

lint: $(STAMP) ## ruff, mypy, import-linter, deptry.
	$(call say,lint)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(STAMP) ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

test-fast: $(STAMP) ## Tests without a server, a few processes at a time.
	$(call say,fast tests: no server)
	$(PYTEST) tests --ignore=tests/faults -m 'not embedded and not sandbox and not faults' -n $(JOBS)

test-embedded: $(STAMP) ## Tests on a real PostgreSQL with a real Debezium.
	$(call say,tests on PostgreSQL and Debezium)
	$(PYTEST) tests --ignore=tests/faults -m 'embedded and not sandbox and not faults' -n $(JOBS) --dist loadfile

test-sandbox: $(STAMP) ## Tests on a real Kafka, Kafka Connect, PostgreSQL and MariaDB; Maven loads them once.
	$(call say,tests on Kafka and Kafka Connect; the first time Maven loads about 260 MB)
	@docker info >/dev/null 2>&1 || $(BIN)/figbridge sandbox up --fetch-only
	$(PYTEST) tests --ignore=tests/faults -m 'sandbox and not faults' -n $(JOBS) --dist loadfile

test-faults: $(STAMP) ## A small share of the kills.
	$(call say,$(FAULTS_FEW) kills of each kind)
	FIGBRIDGE_FAULTS=$(FAULTS_FEW) FIGBRIDGE_KILLS=$(FAULTS_FEW) $(PYTEST) tests -m faults -n $(JOBS) --dist loadfile

faults: faults-embedded faults-kafka faults-restarts ## The whole campaign, more than an hour: everything that a share of runs in `make test`.

faults-embedded: $(STAMP) ## The whole campaign on the embedded engine: kill at every step, count what is lost or comes twice.
	$(call say,$(FAULTS) kills of each kind)
	FIGBRIDGE_FAULTS=$(FAULTS) FIGBRIDGE_KILLS=$(FAULTS) $(PYTEST) tests --ignore=tests/faults/kafka --ignore=tests/faults/restarts -m faults

faults-kafka: $(STAMP) ## The whole campaign on brokers: kill the bridge, Connect, the broker and the store under load.
	$(call say,$(FAULTS_KAFKA) kills of a bridge with all that belongs to them, then $(REBALANCES_KAFKA) s of coming and going)
	FIGBRIDGE_KAFKA_KILLS=$(FAULTS_KAFKA) FIGBRIDGE_KAFKA_REBALANCES_S=$(REBALANCES_KAFKA) $(PYTEST) -s tests/faults/kafka

faults-restarts: $(STAMP) ## Restart connectors inside mass changes of keys and COPYs of 100,000 rows, and count lost rows.
	$(call say,$(FAULTS_RESTARTS) restarts inside changes of keys on each database and as many inside COPYs)
	FIGBRIDGE_RESTARTS=$(FAULTS_RESTARTS) FIGBRIDGE_RESTARTS_ROWS=100000 $(PYTEST) -s tests/faults/restarts

bench: $(STAMP) ## Measure; prints the figures with the machine they were measured on.
	@$(BIN)/python -m benchmarks

schema: $(STAMP) ## Write mappings/schema/*.json again from the models of the documents.
	$(BIN)/python -m figbridge.mapping.schema mappings/schema

constraints: ## Write constraints.txt again: the newest versions that pyproject.toml allows.
	@set -e; fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PYTHON) -m venv "$$fresh"; \
	"$$fresh/bin/python" -m pip install --quiet --disable-pip-version-check hatchling editables '.[embedded,dev]'; \
	{ echo '# Every package that `make venv` installs, at the version that was tested. Written by `make constraints`.'; \
	  "$$fresh/bin/python" -m pip freeze --exclude figbridge; } > constraints.txt

clean: ## Remove what was made: .venv, caches, the embedded log and store (.figbridge), the sandbox's data.
	@test ! -e .sandbox || $(BIN)/figbridge sandbox down
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .figbridge .sandbox dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
