# Two commands matter: `make run` serves the demo municipality, `make test` proves that everything works.
# Each step leaves a stamp when it is complete, so that the next run starts at once.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PORT ?= 5000
# Given to pytest: make test PYTEST_ARGS="-k desk -x".
PYTEST_ARGS ?=
# Given to the bench: make bench BENCH_ARGS="--reports 10000".
BENCH_ARGS ?=

export PORT
export PYTHON

bootstrap := deploy/bootstrap.sh
python := .venv/bin/python
catalogues := $(patsubst %.po,%.mo,$(wildcard gatami/translations/*/LC_MESSAGES/*.po))

# A step that was interrupted, or a Python that was upgraded, leaves .venv broken: its stamps go, and it is built again.
ifneq ($(wildcard .venv/.run .venv/.test),)
  ifneq ($(shell test ! -e .venv/.unfinished && $(python) -c 'print(1)' 2>/dev/null),1)
    $(shell rm -f .venv/.run .venv/.test)
  endif
endif

.PHONY: help
help: ## Show what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2 }'

.PHONY: run
run: install ## Serve the demo on http://127.0.0.1:5000 (PORT=… for another port)
	@exec $(python) deploy/run.py

.PHONY: test
test: test-install ## Install what the tests need, and run all of them, on both databases
	@$(MAKE) lint
	@$(call suite,spatialite)
	@# Whether a page is accessible and fits the screen does not depend on the database behind it.
	@$(call suite,postgis,--ignore tests/journey/test_pages.py)

# What drives a browser or kills processes has the machine to itself; the rest is spread over two cores. With PYTEST_ARGS one
# of the two may have nothing to run, which pytest tells by 5.
define suite
	export GATAMI_TEST_BACKEND=$(1); \
	$(python) -m pytest -m "not served" -n 2 --dist loadfile $(2) $(PYTEST_ARGS) $(if $(PYTEST_ARGS),|| test $$? = 5); \
	$(python) -m pytest -m served $(2) $(PYTEST_ARGS) $(if $(PYTEST_ARGS),|| test $$? = 5)
endef

.PHONY: test-quick
test-quick: test-install ## Run the tests on SpatiaLite only, without the browser
	GATAMI_TEST_BACKEND=spatialite $(python) -m pytest --ignore tests/journey --ignore tests/test_durability.py $(PYTEST_ARGS)

.PHONY: bench
bench: test-install ## Measure the policy layer beside Presidio, and map, page and submit on PostGIS; prints JSON
	@$(bootstrap) bench
	@$(python) -m bench $(BENCH_ARGS)

.PHONY: lint
lint: .venv/.test ## Check style, types and the import order
	$(python) -m ruff check
	$(python) -m mypy
	$(python) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

.PHONY: format
format: .venv/.test ## Format the Python files
	$(python) -m ruff check --fix-only
	$(python) -m ruff format

# -- what the commands stand on --------------------------------------------------------------------------------------

.PHONY: install
install: .venv/.run static/vendor/.stamp $(catalogues) spatialite ## Install what the app needs, without starting it

.PHONY: test-install
test-install: .venv/.test static/vendor/.stamp $(catalogues) spatialite
	@$(bootstrap) services

.venv/.run: requirements.txt
	@$(bootstrap) python requirements.txt
	@touch $@

.venv/.test: requirements-dev.txt .venv/.run
	@$(bootstrap) python requirements-dev.txt
	@touch $@

.PHONY: vendor
vendor: static/vendor/.stamp ## Build static/vendor/ from the npm packages

static/vendor/.stamp: package-lock.json deploy/vendor.mjs | .venv/.run
	@$(bootstrap) node

.PHONY: spatialite
spatialite: .venv/.run
	@$(bootstrap) spatialite

%.mo: %.po | .venv/.run
	@$(python) -m babel.messages.frontend --quiet compile --statistics -i $< -o $@.new
	@mv $@.new $@

.PHONY: policy-data
NORNE ?= ../shared/data/norne
policy-data: .venv/.test ## Rebuild the word lists and weights of the text policy (NORNE=folder with that data set)
	@$(bootstrap) policy
	$(python) -m gatami.policy.build --norne $(NORNE)

# -- housekeeping ----------------------------------------------------------------------------------------------------

.PHONY: messages
messages: .venv/.run ## Take the texts of code and templates into the language catalogues
	@mkdir -p var
	$(python) -m babel.messages.frontend --quiet extract -w 120 -F babel.cfg --no-location --sort-output \
		--ignore-dirs 'node_modules static tests bench var' --project GataMi --version 0.1.0 -o var/messages.pot .
	$(python) -m babel.messages.frontend --quiet update -w 120 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
		-i var/messages.pot -d gatami/translations

uv_compile = $(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: lock
lock: .venv/.test ## Bring the locks up to the newest versions that pyproject.toml and package.json allow
	$(uv_compile) pyproject.toml -o requirements.txt
	$(uv_compile) pyproject.toml --group test -c requirements.txt -o requirements-dev.txt
	$(uv_compile) --group node -o requirements-node.txt
	$(uv_compile) --group bench -o requirements-bench.txt
	$(uv_compile) --group policy -c requirements.txt -o requirements-policy.txt
	npm update --package-lock-only --silent
	@! grep -nE 'https?://|--(extra-)?index-url|--find-links' requirements*.txt
	@! grep -n '"resolved"' package-lock.json

.PHONY: clean
clean: ## Remove what make built; your data in var/ stays
	rm -rf .venv node_modules static/vendor static/vendor.new-* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(catalogues)
	find gatami tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
