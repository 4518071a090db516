# make            what there is to make
# Everything is set up on the way; Python 3.11 or newer and make are all it takes.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
ENGINE ?= auto
SEED ?= 1337
BACKENDS ?=
REASON ?=
SECONDS ?= 600
JUNIT ?=
SAMPLE ?=
COMMIT ?=
TRIAL ?=
MARKDOWN ?=
FAULTS_ARGS ?=
WORKLOADS ?= regression
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
SBOM_READY := $(VENV)/.sbom-ready
backend_options = $(foreach name,$(BACKENDS),--backend $(name))
# The configuration that lists them takes all of them, or one by its name.
ALL := --config src/keras_repro/workloads/keras-repro.toml
WHICH = $(filter-out all,$(WORKLOADS))
# Not in that configuration: they lie outside of its folder.
RUNS := --artifacts artifacts
PLACES := $(RUNS) --baselines baselines

.DEFAULT_GOAL := help
.PHONY: help train test test-all test-old people scorecard machines answers chance report docs baselines parity schemas lock lint bench sbom fuzz \
  faults faults-planted clean

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16
	@echo
	@echo 'Options: BACKENDS="theano jax"  SEED=7  ENGINE=docker|local|auto  JUNIT=FILE  WORKLOADS=all'

train: $(READY) ## Train the regression on every backend; WORKLOADS=all: all there are
	@$(BIN)/keras-repro $(ALL) train $(WHICH) $(RUNS) $(backend_options) --seed '$(SEED)' --engine '$(ENGINE)'

# What is missing or stale is trained; the tests of the first list train nothing themselves, but for
# the regression, which is asked for the same bits again.
QUICK := tests/test_regression.py tests/unit
define run_tests
	@$(BIN)/keras-repro $(ALL) train $(WHICH) $(RUNS) --if-needed $(backend_options) --engine '$(ENGINE)'
	@KERAS_REPRO_TEST_ENGINE='$(ENGINE)' KERAS_REPRO_TEST_BACKENDS='$(BACKENDS)' \
	  $(BIN)/python -m pytest --numprocesses auto --dist worksteal \
	  $(if $(JUNIT),--junitxml '$(JUNIT)') $(PYTEST_ARGS) $(1)
endef

test: $(READY) ## Test the regression against its baselines, and the code; minutes
	$(call run_tests,-m 'not long' $(QUICK))
	@echo 'The rest (other workloads, containers, searches, pages): make test-all'

test-all: export KERAS_REPRO_TEST_SAMPLE := $(SAMPLE)
test-all: export KERAS_REPRO_TEST_COMMIT := $(COMMIT)
test-all: $(DOCS_READY) $(SBOM_READY) ## Test everything; SAMPLE=6: of what trains one in six, which COMMIT chooses; up to 40 minutes
	$(call run_tests,-m 'not slow')

test-old: $(READY) ## Test what the old version did, where that trains; a quarter of an hour
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(PYTEST_ARGS) -m slow tests/old_version

people: $(READY) ## Run scripts as people write them, each on every backend; half an hour
	@KERAS_REPRO_TEST_EVERYWHERE=1 KERAS_REPRO_TEST_ENGINE='$(ENGINE)' \
	  KERAS_REPRO_TEST_BACKENDS='$(BACKENDS)' $(BIN)/python -m pytest --numprocesses auto \
	  --dist worksteal $(PYTEST_ARGS) tests/recorder/test_people.py \
	  tests/recorder/test_people_counted.py

scorecard: $(READY) ## Plant a change for each link of the trail; count what is said; MARKDOWN=1 for docs
	@PYTHONPATH='$(CURDIR)' $(BIN)/python -m tests.scorecard --engine '$(ENGINE)' \
	  $(backend_options) $(if $(MARKDOWN),--markdown)

machines: $(READY) ## Vary every workload on every backend, for docs/machines.md; hours, and it goes on where it was
	@PYTHONPATH='$(CURDIR)' $(BIN)/python -m tools.machines --engine '$(ENGINE)' $(backend_options) --write

answers: $(READY) ## What seeds say of the bundled workloads, for docs/answers.md; an hour, and it goes on where it was
	@PYTHONPATH='$(CURDIR)' $(BIN)/python -m tools.answers --engine '$(ENGINE)' --write

chance: $(READY) ## Simulate ensembles whose truth is known, for docs/chance.md; minutes
	@PYTHONPATH='$(CURDIR)' $(BIN)/python -m tools.chance

report: $(READY) ## Draw the runs beside their baselines, as report.html
	@$(BIN)/keras-repro $(ALL) report $(WHICH) $(PLACES) $(backend_options) -o report.html

docs: $(DOCS_READY) ## Build the documentation, as site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'wrote site/index.html'

baselines: $(READY) ## Make the present runs the baselines: REASON="why they change"
	@$(BIN)/keras-repro $(ALL) accept $(WHICH) $(PLACES) $(backend_options) --reason '$(subst ','\'',$(REASON))' --yes

parity: $(READY) ## Make the tables of docs/parity anew; a quarter of an hour
	@cd docs/parity && ../../$(BIN)/keras-repro parity keras2_layers.py --reference theano \
	  --against tensorflow1 --engine '$(ENGINE)' --format markdown -o keras2.html > keras2.md \
	  || test $$? = 1
	@cd docs/parity && ../../$(BIN)/keras-repro parity keras3_layers.py --reference jax \
	  --engine '$(ENGINE)' --format markdown -o keras3.html > keras3.md || test $$? = 1

schemas: $(READY) ## Write the JSON Schemas of the documents anew
	@$(BIN)/python -c 'from keras_repro.report.json_text import write_schemas; write_schemas()'

lock: $(READY) ## Write the hash-locked requirements anew
	@$(BIN)/keras-repro lock $(backend_options)
	@for name in dev docs fuzz sbom; do \
	  $(BIN)/uv pip compile --quiet --no-header --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --universal --python-version 3.11 \
	    requirements/$$name.in --output-file requirements/$$name.txt || exit; \
	done

# Each by itself, so that make --jobs=2 lint takes half as long.
LINT := lint-style lint-types lint-types-darwin lint-arrows lint-house lint-shell
.PHONY: $(LINT)
lint: $(LINT) ## Check style, types, arrows, the length of files, and the shell scripts
$(LINT): $(READY)

lint-style:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
lint-types:
	@$(BIN)/mypy --platform linux
lint-types-darwin:
	@$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin
lint-arrows:
	@$(BIN)/lint-imports
lint-house:
	@$(BIN)/python -m pytest --quiet tests/unit/test_house.py
lint-shell:
	@$(BIN)/shellcheck src/keras_repro/container/*.sh tests/faults/*.sh .ci/run .ci/docker-up

bench: $(READY) ## Measure, as ratios from one run
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/comparison.py
	@$(BIN)/python benchmarks/searches.py
	@PYTHONPATH='$(CURDIR)' $(BIN)/python benchmarks/recording.py
	@$(BIN)/python benchmarks/containers.py
	@PYTHONPATH='$(CURDIR)' $(BIN)/python benchmarks/seeds.py
	@$(BIN)/python benchmarks/cluster.py

sbom: $(SBOM_READY) ## Write what each backend's image is made of, as CycloneDX, to sbom/
	@$(BIN)/python tools/sbom.py $(backend_options)

fuzz: $(READY) ## Read hostile run folders for SECONDS=600
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/fuzz.txt
	@mkdir -p test-output
	@PYTHONPATH=. $(BIN)/python tests/fuzz/run_folders.py -max_total_time=$(SECONDS) \
	  -len_control=0 -max_len=4096 -artifact_prefix="$(CURDIR)/test-output/"

# SEED may be any text, a commit say; a failure says with which TRIAL it is repeated.
run_faults = PYTHONPATH='$(CURDIR)/src:$(CURDIR)' $(BIN)/python -m $(1) --library test-output/faults/inject.so
faults: $(READY) ## Have every write go wrong, at every place; SAMPLE=400 SEED=... for a part, MARKDOWN=1 for docs
	@$(MAKE) --no-print-directory --directory tests/faults
	@$(call run_faults,tests.faults) --seed '$(SEED)' $(if $(SAMPLE),--sample '$(SAMPLE)') \
	  $(if $(TRIAL),--trial '$(TRIAL)') $(if $(MARKDOWN),--markdown) $(FAULTS_ARGS)

faults-planted: $(READY) ## Plant faults in the code, and see that make faults catches each
	@$(MAKE) --no-print-directory --directory tests/faults
	@$(call run_faults,tests.faults.planted) $(FAULTS_ARGS)

clean: ## Remove the runs and the tools; baselines and images stay
	@find artifacts -mindepth 1 ! -name .gitignore -delete
	@rm -rf $(VENV) report.html sbom site test-output .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'keras-repro: Python 3.11 or newer is needed; name one with make PYTHON=...' >&2; exit 2; }
	@echo 'setting up $(VENV)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  -r src/keras_repro/packages/uv.txt
	@# Compiled once: with PYTHONDONTWRITEBYTECODE set, every start would do it anew.
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src/keras_repro # the first command starts as fast as the next
	@touch $(READY)

$(DOCS_READY): $(READY) requirements/docs.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/docs.txt
	@touch $(DOCS_READY)

$(SBOM_READY): $(READY) requirements/sbom.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/sbom.txt
	@touch $(SBOM_READY)
