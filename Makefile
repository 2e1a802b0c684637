# Needs make and Python 3.11 or newer; everything else comes from the package registries.

PYTHON ?= python3
UV_VERSION := 0.13.9
TOOLS := .local/uv
UV := $(shell command -v uv 2>/dev/null || echo $(TOOLS)/bin/uv)
RUN := .venv/bin/python -m deploy.local

.DEFAULT_GOAL := help
.PHONY: help up down up-docker clean test test-fast faults faults-outside bench load check format install

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s  %s\n", $$1, $$2}' Makefile

up: install ## the whole platform, with a demo; Ctrl-C stops it
	@exec $(RUN) up

down: install ## stop the platform from another terminal
	@exec $(RUN) down

up-docker: install ## the same with Docker Compose; Ctrl-C leaves it running, docker compose down stops it
	docker compose up --build --detach --wait
	@$(RUN) load-demo --docker
	@exec docker compose logs --follow --tail 20

clean: install ## delete the data of `make up`, `make test` and `make faults`
	@exec $(RUN) clean

test: check ## everything: lint, types, architecture, all tests; those with servers on a stack of their own
	@.venv/bin/python -m pytest -m "not stack and not by_hand" -n $(AT_ONCE)
	@exec $(RUN) run -- sh -c '$(STACK) -n 4 --dist loadgroup $(APART) && exec $(STACK) $(BY_TURNS)'

STACK := .venv/bin/python -m pytest -m "stack and not by_hand"
# These have a database and topics of their own each, and mostly wait. The others have the machine to themselves.
APART := shared services tests/simulation
BY_TURNS := docs/examples tests --ignore=tests/simulation

# One more than CI has cores: many of these tests wait for a time-out.
AT_ONCE := 3
test-fast: install ## the tests that need no server and no patience
	@exec .venv/bin/python -m pytest -m "not stack and not slow and not by_hand" -n $(AT_ONCE)

# MONGO_URI and KAFKA_BOOTSTRAP count only when they are given to make itself: those of a shell may be of something dear.
given = $(if $(filter command line,$(origin $(1))),$(2) $($(1)))
MINUTES ?= 10
faults: install ## faults under load: MINUTES=10 SEED=7 ONLY=F1,F3 FULL=1 SHORT=1 REPORT=FILE; docs/operations/faults.md
	@exec .venv/bin/python -m tests.faults $(if $(SHORT),--short,$(if $(FULL),--full,--minutes $(MINUTES))) $(if $(SEED),--seed $(SEED)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report $(REPORT)) \
		$(call given,MONGO_URI,--mongo-uri) $(call given,KAFKA_BOOTSTRAP,--kafka-bootstrap)

faults-outside: install ## the rig against a store and a Kafka that it did not start, some minutes
	@exec .venv/bin/python -m pytest -m by_hand -s tests/faults/test_outside.py

bench: install ## speed beside a floor of the same run: ONLY=B1,B2 SEED=1; writes docs/benchmarks.md, with PROFILE=1 docs/profiles
	@exec .venv/bin/python -m tests.bench $(if $(PROFILE),--profile docs/profiles,--report docs/benchmarks.md) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) \
		$(call given,MONGO_URI,--mongo-uri) $(call given,KAFKA_BOOTSTRAP,--kafka-bootstrap)

load: install ## overload, slow clients, a soak: MINUTES=10; writes docs/load.md
	@exec .venv/bin/python -m tests.load --minutes $(MINUTES) --report docs/load.md \
		$(call given,MONGO_URI,--mongo-uri) $(call given,KAFKA_BOOTSTRAP,--kafka-bootstrap)

check: install ## lint, format, types, architecture
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/basedpyright
	.venv/bin/lint-imports

format: install ## mend what can be mended
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

# The lock decides what is installed; a lock that does not fit pyproject.toml is an error here.
install: $(UV)
	@$(UV) sync --locked --quiet --python $(PYTHON) --no-python-downloads

$(TOOLS)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; PYTHON=... names another")'
	@echo "uv is missing: putting it into $(TOOLS)"
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet uv==$(UV_VERSION)
