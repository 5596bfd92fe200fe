# The course's commands. Needed before: git, make, Python 3.11 or newer with venv.
#   make lab                       open the course            make test                  everything, as CI runs it
#   make lab ASSETS=later          fetch data when needed     make test NOTEBOOKS=09     one notebook only
#   make lab TORCH_INDEX=URL       torch from another index   make check                 the developer's loop, under 3 minutes
#   make lab PYTHON=python3.12     another Python

PYTHON ?= python3
ASSETS ?=
NOTEBOOKS ?=
TORCH_INDEX ?=
python := .venv/bin/python
pip_install := $(python) -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

export ASSETS NOTEBOOKS

.PHONY: lab test check lint notebooks map bench clean

lab: .venv/.lab
	@$(python) -m course_utils lab

test: .venv/.test
	@$(python) -m course_utils test

check: .venv/.test
	@$(python) -m course_utils check

lint: .venv/.test
	@$(python) -m course_utils lint

# Executes the notebooks and stores their outputs.
notebooks: .venv/.test
	@$(python) -m course_utils notebooks $(NOTEBOOKS)

# Rewrites the README's map from notebooks/syllabus.toml.
map: .venv/.lab
	@$(python) -m course_utils map

bench: .venv/.test
	@status=0; for script in benchmarks/*.py; do echo "--- $$script"; $(python) $$script || status=1; done; exit $$status

# Back to a fresh checkout; fetched texts and models stay in their cache.
clean:
	rm -rf .venv artefacts build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here; install Python 3.11 or newer, or name yours: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The course needs Python 3.11 or newer and $(PYTHON) is $$($(PYTHON) -V 2>&1); name a newer one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) could not make a virtual environment; on Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/.torch: .venv/.python
	@if [ -n "$(TORCH_INDEX)" ]; then echo "Installing torch from $(TORCH_INDEX) ..."; $(pip_install) --no-deps --index-url "$(TORCH_INDEX)" torch; fi
	@touch $@

.venv/.lab: .venv/.torch pyproject.toml constraints.txt
	@echo "Installing the course into .venv (the first time takes a few minutes) ..."
	@$(pip_install) --editable .
	@touch $@

.venv/.test: .venv/.torch pyproject.toml constraints.txt
	@echo "Installing the course and what its tests need into .venv (the first time takes a few minutes) ..."
	@$(pip_install) --editable '.[test]'
	@touch $@ .venv/.lab
