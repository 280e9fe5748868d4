# Amazcope's targets; `make` alone lists them. All paths are relative, because folders may have spaces.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && exit; \
	done; echo python3)
IN_VENV = .venv/bin/python -m
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-long test-dates check format bench docs migrate runtime development

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

run: runtime ## install what is missing and run Amazcope; Ctrl-C stops it
	@$(IN_VENV) jobs up

# Tests start hundreds of processes, each from compiled code, whatever the environment says.
test test-long: export PYTHONDONTWRITEBYTECODE =

test: development ## run the tests, and list those that this machine can't run
	@$(IN_VENV) pytest -n 2 --dist worksteal -rs -q $(TESTS)

test-long: development ## repeat random tests and kills many more times (an hour)
	@$(IN_VENV) pytest -n 2 --dist worksteal -rs -q -m "long or hypothesis" --hypothesis-profile=long $(TESTS)

test-dates: development ## run the tests that depend on the date, on five dates (needs faketime)
	@$(IN_VENV) tests.dates $(TESTS)

check: development ## find mistakes: ruff, mypy, deptry, imports between packages, names, dead code
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) mypy
	@PYTHONWARNINGS=ignore $(IN_VENV) deptry .
	@$(IN_VENV) pytest -q tests/test_architecture.py tests/test_names.py tests/test_waits.py tests/test_dead_code.py

format: development ## format the code
	@$(IN_VENV) ruff check --fix .
	@$(IN_VENV) ruff format .

bench: development ## measure speed and memory; print a table, write benchmarks/results
	@$(IN_VENV) benchmarks

docs: runtime ## write the MCP tables into docs/AGENTS.md
	@$(IN_VENV) mcp_server --document

migrate: runtime ## bring the database to the newest schema
	@$(IN_VENV) jobs migrate

runtime:
	@command -v "$(PYTHON)" >/dev/null || { echo "Amazcope needs Python 3.11 or newer, and there is none here. On Debian and Ubuntu: sudo apt install python3 python3-venv" >&2; exit 1; }
	@"$(PYTHON)" deploy/bootstrap.py requirements.txt

development: runtime
	@"$(PYTHON)" deploy/bootstrap.py requirements-dev.txt
