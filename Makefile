# make run    sets up, indexes corpus/, opens the chat
# make test   sets up, runs the tests
# make lint   ruff and mypy
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint fuzz powercut corpus-check spelling corpus-files browser screenshots evaluate reading wheel wheel-check clean
.DEFAULT_GOAL := run

$(VENV)/.run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[web,staff,eval]'
	touch $@

# torch first and from the constraints: a plain install of what needs it would bring CUDA packages of several GB.
$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: $(VENV)/.run
	$(BIN)/clusterqa index
	$(BIN)/clusterqa serve

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest -m "not browser"

# 20,000 inputs for each parser; benchmarks/long_inputs.py shows where work grows with the square of a text.
fuzz: $(VENV)/.dev
	FUZZ_EXAMPLES=20000 $(BIN)/python -m pytest tests/fuzz

# The power fails at 1,000 moments; needs strace.
powercut: $(VENV)/.dev
	POWER_CUTS=1000 $(BIN)/python -m pytest tests/test_powercut.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

corpus-check: $(VENV)/.run
	$(BIN)/clusterqa doctor --corpus corpus --documents

# Needs the dictionaries of Debian's hunspell-lt and hunspell-en-gb.
spelling: $(VENV)/.dev
	$(BIN)/python tools/spelling.py

# The PDF, DOCX and HTML documents of the corpus, from the texts in corpus-files/.
corpus-files: $(VENV)/.dev
	$(BIN)/python tools/make_files.py

# Only the browser tests need it; without npm they leave the accessibility checks out, and say so.
AXE := build/npm/node_modules/axe-core/axe.min.js
$(AXE):
	command -v npm >/dev/null && npm install --prefix build/npm --no-save --no-package-lock --ignore-scripts --no-audit --no-fund axe-core@4.14.1 || true

browser: $(VENV)/.dev $(AXE)
	$(BIN)/python -m pytest -m browser

screenshots: $(VENV)/.dev
	$(BIN)/python docs/screenshots/take.py

evaluate: $(VENV)/.dev
	$(BIN)/clusterqa index --data build/evaluation
	$(BIN)/clusterqa eval check evaluation/questions.jsonl --data build/evaluation
	$(BIN)/clusterqa eval run evaluation/questions.jsonl --data build/evaluation --output build/evaluation/run.json
	$(BIN)/clusterqa eval report build/evaluation/run.json --output build/evaluation/report.html --markdown build/evaluation/report.md
	$(BIN)/clusterqa eval gate build/evaluation/run.json --baseline evaluation/baseline.json
	$(BIN)/clusterqa eval check evaluation/examples/questions.jsonl --data build/evaluation
	$(BIN)/clusterqa eval run evaluation/examples/questions.jsonl --data build/evaluation --output build/evaluation/examples.json
	$(BIN)/clusterqa eval report build/evaluation/examples.json --output build/evaluation/examples.html
	$(BIN)/clusterqa eval gate build/evaluation/examples.json --baseline evaluation/examples/baseline.json
	for n in 1 2 3 4 5; do $(MAKE) --no-print-directory reading SET=evaluation/reading/$$n || exit 1; done

# One of the small corpora of other subjects, held to its own floors.
reading: $(VENV)/.dev
	$(BIN)/clusterqa index --corpus $(SET)/corpus --data build/$(SET)
	$(BIN)/clusterqa eval run $(SET)/questions.jsonl --corpus $(SET)/corpus --data build/$(SET) --output build/$(SET)/run.json
	$(BIN)/clusterqa eval gate build/$(SET)/run.json --baseline $(SET)/baseline.json

wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --wheel
	$(BIN)/python tools/sbom.py dist/clusterqa.cdx.json

# Installs the wheel alone, outside this folder, with the pip that Python 3.11.7 brings, and uses it; then with the newer Pythons
# that are here, each with the pip that it brings.
NEWER ?= $(shell for python in python3.12 python3.13 $(HOME)/.pyenv/versions/3.1[23].*/bin/python; do $$python -c "" 2>/dev/null && echo $$python; done)
wheel-check: wheel
	$(BIN)/python tools/check_wheel.py dist/clusterqa-*.whl --extra web,staff,eval,mcp
	for python in $(NEWER); do $(BIN)/python tools/check_wheel.py dist/clusterqa-*.whl --python $$python --pip bundled || exit 1; done

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
