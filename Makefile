# `make demo` and `make test`: each creates what it needs in .venv and works on a machine with git, make and
# Python 3.11 or newer. Paths are relative on purpose: the checkout may stand in a folder with a space in it.

.PHONY: help demo test clean
.DEFAULT_GOAL := help
# The programs under test start many times, and each start would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

# The first of these that is Python 3.11 or newer and has venv. `make test PYTHON=/path/to/python3` decides otherwise.
ifndef PYTHON
PYTHON := $(shell for each in python3.11 python3.12 python3 python3.13 python3.14; do \
  "$$each" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && exit; \
  done; command -v python3)
endif

# What `make test` runs before the tests, whose summary is the last line of the output; the long ones begin first.
CHECKS := docs types bare lint contracts examples
# Two processes share the files of tests, in the order that tests/conftest.py says. `make test ARGS='-n 0'`: one process.
SHARED_OUT := --numprocesses 2 --dist loadfile --no-loadscope-reorder

help:
	@echo 'make demo            start the demo: a hotel and eight holiday homes on an embedded PostgreSQL'
	@echo 'make demo ARGS=--exit  start it, check it, stop it'
	@echo 'make test            lint, types, contracts, bare install, examples, docs, then every test'
	@echo 'make clean           remove .venv and what the tools left behind'

demo:
	@$(require-python)
	@"$(PYTHON)" .ci/environment.py demo
	@.venv/bin/pms demo $(ARGS)

test:
	@$(require-python)
	@"$(PYTHON)" .ci/environment.py test
	@failed="$$(.venv/bin/python .ci/checks.py $(CHECKS))" || exit 1; \
	PMS_FAILED_CHECKS="$$failed" .venv/bin/python -m pytest $(SHARED_OUT) $(ARGS) || exit 1; \
	test -z "$$failed"

clean:
	rm -rf .venv .venv.lock .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis docs/_build docs/reference/modules

define require-python
test -n "$(PYTHON)" || { \
  echo 'pmscore: no Python found. Install Python 3.11 or newer with venv (Debian and Ubuntu: apt-get install python3-venv), or name one: make test PYTHON=/path/to/python3' >&2; \
  exit 1; }
endef
