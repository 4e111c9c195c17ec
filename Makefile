# On a fresh machine with Python 3.11 or later (with venv) and make, `make run` and `make test` need nothing before them:
# they build .venv from the locked requirements. Stamps in .venv make a second run instant.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test test-all test-next test-rest check accessibility pictures bench fuzz audit lock messages clean

VENV := .venv
PY := $(VENV)/bin/python
# Test processes: each has its own databases. `make test JOBS=4`, `make test PYTEST="-k refresh -x"`.
JOBS ?= 2
PYTEST ?=
# The lock names everything: pip has nothing to look for, nor a newer release of an extra to stumble over.
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps
PO := $(wildcard terristory/translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: $(VENV)/installed $(MO) ## serve the site on http://localhost:8000 (HOST, PORT and TERRISTORY_* are honoured)
	@exec $(PY) -m flask --app wsgi serve

test: $(VENV)/installed-dev $(MO) ## the tests, but for the slow ones (SQLite, PostgreSQL, browser where present)
	@$(PY) -m pytest -n $(JOBS) -m "not slow" $(PYTEST)

test-all: $(VENV)/installed-dev $(MO) ## every test, slow ones included (faults, long races, fuzzing), and `test-next`
	@$(PY) -m pytest -n $(JOBS) $(PYTEST)
	@$(MAKE) --no-print-directory test-next

test-next: $(VENV)/installed-dev $(MO) ## rules and HTTP tests once more, on tables as the next release may leave them
	@SCHEMA=next $(PY) -m pytest -n $(JOBS) -m "not slow and not at_head" tests/rules tests/http $(PYTEST)

test-rest: $(VENV)/installed-dev $(MO) ## only the slow tests: what `make test` leaves out
	@$(PY) -m pytest -n $(JOBS) -m slow $(PYTEST)

check: $(VENV)/installed-dev ## format, lint, types, templates, import contracts
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m djlint --quiet --lint templates
	$(VENV)/bin/lint-imports --no-cache

accessibility: $(VENV)/installed-dev $(MO) ## test every page in a browser and write what the accessibility statement says
	@RENEW=accessibility $(PY) -m pytest tests/browser/test_every_page.py tests/browser/test_every_state.py $(PYTEST)

pictures: $(VENV)/installed-dev $(MO) ## take the pictures of the guides and of the README anew, in a browser
	@RENEW=pictures $(PY) -m pytest tests/browser/test_pictures.py $(PYTEST)

fuzz: $(VENV)/installed-dev $(MO) ## the generated tests at length: `make fuzz EXAMPLES=5000`
	@FUZZ_EXAMPLES=$${EXAMPLES:-2000} $(PY) -m pytest -n $(JOBS) -m fuzz --timeout=1800 $(PYTEST)

# The auditor calls a package sound when it could not look it up. So it must first find a version known to be bad, and may
# then skip nothing (--strict). It needs a source of advisories, which not every machine reaches: no part of `check`.
AUDIT := $(PY) -m pip_audit --disable-pip --progress-spinner=off

audit: $(VENV)/installed-dev ## look every locked version up among known advisories (needs the network; fails without)
	@echo "jinja2==2.4.1" > $(VENV)/known-bad.txt
	@$(AUDIT) --no-deps --requirement $(VENV)/known-bad.txt 2>/dev/null | grep -q "^jinja2 *2\.4\.1 " || { \
	    echo "Nothing was audited: no source of advisories knows jinja2 2.4.1, which has many. Is one reachable from here?" >&2; \
	    exit 1; }
	@$(AUDIT) --strict --require-hashes --requirement requirements.txt || { \
	    echo "The audit failed: an advisory above, or a package that could not be looked up." >&2; \
	    exit 1; }

bench: $(VENV)/installed-dev $(MO) ## measure, and print goals, figures and verdicts (needs wrk): `make bench ONLY="me flood"`
	@exec $(PY) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--peers "$(PEERS)")

lock: $(VENV)/installed-dev ## resolve requirements*.in again into requirements*.txt (needs the network)
	$(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    requirements.in -o requirements.txt
	$(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    requirements-dev.in -o requirements-dev.txt

messages: $(VENV)/installed-dev ## collect the texts of the source into the translation catalogues
	$(PY) -m babel.messages.frontend --quiet extract --mapping=babel.cfg --no-wrap --sort-by-file --add-location=file \
	    --keyword=_l --omit-header --output-file=$(VENV)/messages.pot .
	$(PY) -m babel.messages.frontend --quiet update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
	    --input-file=$(VENV)/messages.pot --output-dir=terristory/translations

clean: ## remove .venv and everything that can be made again (the development database stays)
	rm -rf $(VENV) .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results $(MO)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

%.mo: %.po | $(VENV)/installed
	@$(PY) -m babel.messages.frontend --quiet compile --input-file=$< --output-file=$@

# The first Python from 3.11 on that can make a virtual environment; one clear line when there is none.
$(VENV)/created:
	@if $(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then touch $@; exit 0; fi; \
	found=; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    found=$$python; \
	    $$python -c 'import venv, ensurepip' 2>/dev/null || continue; \
	    echo "Building $(VENV) with $$python (once, about a minute)" >&2; \
	    $$python -m venv --clear $(VENV) && touch $@ && exit 0; \
	    exit 1; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "$$found cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv), then try again." >&2; \
	else \
	    echo "Python 3.11 or later is needed: install it (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3." >&2; \
	fi; \
	exit 1

$(VENV)/installed: requirements.txt | $(VENV)/created
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/created
	@$(PIP) -r requirements-dev.txt
	@touch $(VENV)/installed $@
