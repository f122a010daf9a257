# Each target is complete in itself: it makes .venv and installs what it needs first.
PYTHON ?= python3
BIN := .venv/bin
RESULTS := xlt-results

.PHONY: run test test-all lint types reference bench clean

run: .venv/installed
	@$(BIN)/xlt-bench run --method majority --sources seen --store $(RESULTS) >/dev/null
	@$(BIN)/xlt-bench run --method ngram-mlp --sources seen --store $(RESULTS) >/dev/null
	$(BIN)/xlt-bench run --method xpe --sources seen --store $(RESULTS)

test: lint types
	$(BIN)/python -m pytest -m "not slow"

test-all: lint types
	$(BIN)/python -m pytest

lint: .venv/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy does not see the folders that pyproject.toml maps into the package; a folder of links shows them
types: .venv/test-installed
	rm -rf build/types && mkdir -p build/types/xlt_bench
	ln -s $(CURDIR)/xlt_bench/* $(CURDIR)/methods $(CURDIR)/baselines $(CURDIR)/leaderboard build/types/xlt_bench
	ln -s $(CURDIR)/benchmarks $(CURDIR)/scripts build/types
	cd build/types && MYPYPATH=. ../../$(BIN)/mypy --explicit-package-bases --config-file ../../pyproject.toml xlt_bench scripts

# runs every method on cldr with nano (about half an hour on 2 cores), then builds the board from the Records
reference: .venv/installed
	$(BIN)/python -m scripts.reference
	$(BIN)/xlt-bench leaderboard --store leaderboard/reference --task cldr -o leaderboard/reference-board.json
	$(BIN)/xlt-bench leaderboard --store leaderboard/reference --task cldr -o leaderboard/reference-board.md

bench: .venv/test-installed
	$(BIN)/python -m benchmarks.main_job

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/test-installed: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test]"
	@touch $@
