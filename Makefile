# Only make and Python 3.11 to 3.13 are assumed; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
BUILT := service/wgig/pages/static/built

.DEFAULT_GOAL := help
.PHONY: help install serve test lint crash bench texts screenshots wheel clean

help: ## Show what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

install: $(READY) ## Install into .venv, with all that the tests need

serve: $(READY) ## Serve the graph on http://127.0.0.1:8000
	$(BIN)/wgig serve

test: lint ## Check style and types, run all tests
	$(BIN)/pytest

lint: $(READY) ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

crash: $(READY) ## Kill the service 200 times and cut its power 40 times while it is written and read
	CRASH_ROUNDS=200 $(BIN)/pytest tests/crash

bench: $(READY) ## Measure loading, starting, checking and serving at 1,000 papers
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

texts: $(READY) ## Bring the texts of the pages into the catalogues of their translations
	$(BIN)/pybabel --quiet extract --mapping-file pyproject.toml --keyword marked --omit-header --sort-by-file \
	  --add-location file --output-file build/wgig.pot .
	$(BIN)/pybabel --quiet update --domain wgig --input-file build/wgig.pot --output-dir service/wgig/locale \
	  --no-fuzzy-matching --ignore-obsolete --omit-header --width 110

screenshots: $(READY) ## Take a picture of each page: wide, on a phone, dark, and in Arabic
	$(BIN)/python -m tests.web.screenshots

wheel: $(READY) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean: ## Remove what was made here
	rm -rf $(BUILT) service/web/node_modules .venv dist build .mypy_cache .ruff_cache .pytest_cache

# pip can read dependency groups since 25.1. What the browser code is made of makes it again, by the install.
$(READY): pyproject.toml $(shell find service/web -type f -not -path '*/node_modules/*')
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d. Give one: make PYTHON=python3.13" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group test
	@test -d $(BUILT) || echo "The browser code is not built, as the registry of npm cannot be reached: pages go without scripts."
	@touch $@
