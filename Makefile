# Each target works as the first command on a machine with Python >= 3.11, pip and make:
# the environment in .venv is made when it is missing or out of date.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# pip draws its progress bars for a person and keeps quiet in a log.
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt \
       $(shell test -t 2 || echo --quiet)

.DEFAULT_GOAL := help
.PHONY: help demo test browser lint format types check frontend matrix accuracy schema cli gallery docs bench build clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(STAMP)  ## attention on JAX and PyTorch: timings, and what was compiled and why
	@$(BIN)/jitscope demo attention

test: $(STAMP)  ## all tests; make test ARGS="-k name" for some of them
	@$(BIN)/python -m pytest $(ARGS)

browser: $(STAMP)  ## what the tests of the HTML report need: Playwright, and a Chromium (with apt-get, as root)
	@$(PIP) --editable ".[browser]"
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && exit 0; done; \
	    test "$$(id -u)" = 0 && command -v apt-get >/dev/null || \
	    { echo "install Chromium, or set JITSCOPE_TEST_BROWSER; then: make test" >&2; exit 1; }; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends chromium >/dev/null

frontend:  ## build the HTML report's script and style sheet from frontend/ (needs Node 20.19 or newer)
	@# Not npm ci: it wants the lock to name the native packages of every platform, and not every registry has them all.
	@cd frontend && npm install --no-save --silent && npm run --silent check

lint: $(STAMP)  ## ruff: rules and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(STAMP)  ## let ruff format and fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(STAMP)  ## mypy, strict
	@$(BIN)/mypy

check: lint types test  ## lint, types and test

matrix: $(STAMP)  ## the JAX tests on older and newer JAX
	@$(BIN)/nox

accuracy: $(STAMP)  ## how often causes are named right, into docs/accuracy.md
	@cd tests && ../$(BIN)/python -m causes --write ../docs/accuracy.md $(ARGS)

schema: $(STAMP)  ## write docs/*.schema.json from the types of what commands write
	@$(BIN)/python -m jitscope.render.schema

cli: $(STAMP)  ## write docs/cli.md from the commands' own help
	@$(BIN)/python -m jitscope.commands.document

gallery: $(STAMP)  ## docs/gallery anew, from programs that are run
	@$(BIN)/python examples/gallery/make.py $(ARGS)

docs: $(STAMP)  ## build the documentation into site/
	@$(PIP) --editable ".[docs]"
	@$(BIN)/mkdocs build --strict --quiet

bench: $(STAMP)  ## what jitscope costs, beside its targets; make bench ARGS=--quick for a minute's worth
	@$(BIN)/python benchmarks/run.py $(ARGS)

build: $(STAMP)  ## wheel and source archive into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove the environment and everything generated
	rm -rf $(VENV) .nox build dist site frontend/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .jitscope
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "jitscope needs Python 3.11 or newer, and $(PYTHON) was not found: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "jitscope needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "[1/4] Python environment in $(VENV) (this takes a minute or two the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || \
	    { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@echo "[2/4] PyTorch"
	@$(PIP) torch
	@echo "[3/4] JAX"
	@$(PIP) jax
	@echo "[4/4] jitscope and its tools"
	@$(PIP) --editable ".[all,test,libraries]"
	@touch $@
