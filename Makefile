# Everything starts here: `make run`, `make test`, `make lint`. Needs GNU make, a POSIX shell and any Python 3.10+.
# The tools land in .tools/, the locked environment in .venv/; nothing outside this folder is changed.

PYTHON ?= 3.10
UV_VERSION := 0.13.9
# The first Python that starts uv; the project's own Python is found, or fetched, by uv.
BOOTSTRAP_PYTHON ?= python3
JOBS ?= 2
OUTPUT ?= out/sample
# Kubeflow's SDK: the oldest 2.x, the one of the lock for TFX 1.16, and the newest when this was written.
KFP_VERSIONS ?= 2.0.0 2.5.0 2.17.3

VENV := $(if $(filter 3.10,$(PYTHON)),.venv,.venv-$(PYTHON))
UV := .tools/uv-$(UV_VERSION)/bin/uv
INSTALLED := $(VENV)/.installed
BENCH_PYTHON := $(VENV)-bench/bin/python
BENCH_OUTPUT ?= out/bench
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.tools/python
# Once, here: where bytecode must not be written later, every process would spend most of its start on compiling TFX.
export UV_COMPILE_BYTECODE := 1

.PHONY: help install run test test-long test-kfp lint bench format clean
.DEFAULT_GOAL := help

help: ## this text
	@echo 'Targets (PYTHON=$(PYTHON), environment in $(VENV)):'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile
	@echo 'PYTHON=3.11, 3.12 or 3.13 takes the second TFX line (glibc 2.39 or later) in an environment of its own.'

install: $(INSTALLED) ## the locked environment; then .venv/bin/caser works from anywhere

run: $(INSTALLED) ## train, evaluate and push a model from the built-in sample, into OUTPUT=out/sample
	@$(VENV)/bin/caser run --sample --output '$(OUTPUT)'

test: $(INSTALLED) ## all tests, but those of test-long
	@$(VENV)/bin/pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-long: $(INSTALLED) ## tests that take minutes each: killed, concurrent and changed runs of the emulated cluster
	@$(VENV)/bin/pytest -m long $(ARGS)

test-kfp: $(INSTALLED) ## compiled pipelines in the loaders of KFP_VERSIONS of Kubeflow's SDK, each in a throw-away environment
	@for preset in sample ml-1m-caser; do \
	  $(VENV)/bin/caser kubeflow compile --preset $$preset --image caser:1 --output out/kfp/$$preset.yaml >/dev/null || exit 1; \
	done
	@for version in $(KFP_VERSIONS); do \
	  $(UV) run --quiet --isolated --no-project --python '$(PYTHON)' --with "kfp==$$version" \
	    python -W ignore tests/pipeline/kubeflow/compiler/load_with_kfp.py out/kfp/sample.yaml out/kfp/ml-1m-caser.yaml || exit 1; \
	done

lint: $(INSTALLED) ## ruff, types, and the directions of imports
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/pytest tests/test_import_directions.py

bench: $(INSTALLED) $(BENCH_PYTHON) ## speed, against plain PyTorch: DATA=ml-1m/interactions.csv, BENCH_ARGS=--quick to try
	@test -n '$(DATA)' || { echo 'Say where MovieLens-1M is: make bench DATA=path/to/interactions.csv' >&2; exit 2; }
	@$(VENV)/bin/python -m benchmarks.speed --data '$(DATA)' --output '$(BENCH_OUTPUT)' \
	  --torch-python '$(BENCH_PYTHON)' $(BENCH_ARGS)

# PyTorch, for the yardstick alone: about 5 GB, since PyPI's build brings CUDA along.
$(BENCH_PYTHON): $(UV) uv.lock
	@echo 'Installing PyTorch for the yardstick into $(VENV)-bench ...'
	@UV_PROJECT_ENVIRONMENT='$(VENV)-bench' $(UV) sync --locked --quiet --only-group bench --python '$(PYTHON)'
	@touch -c $@

format: $(INSTALLED) ## rewrites the code in the project's format
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

clean: ## removes environments, tools and results
	rm -rf .tools .venv .venv-* out

$(INSTALLED): $(UV) uv.lock pyproject.toml setup.py
	@echo 'Installing the locked environment into $(VENV) (Python $(PYTHON)) ...'
	@$(UV) python find '$(PYTHON)' >/dev/null 2>&1 || $(UV) python install '$(PYTHON)' || { \
	  echo; \
	  echo 'Python $(PYTHON) was not found, and uv could not fetch it. Install it in one of these ways, then repeat:'; \
	  echo '  apt-get install python$(PYTHON) python$(PYTHON)-dev    (where the distribution has it)'; \
	  echo '  pyenv install $(PYTHON)'; \
	  echo '  $(UV) python install $(PYTHON)                         (needs access to GitHub)'; \
	  exit 1; } >&2
	@$(UV) sync --locked --quiet --python '$(PYTHON)'
	@touch $@

# uv comes from PyPI with whatever this Python has: venv, or pip alone. Without both, a uv on the PATH will do.
$(UV):
	@command -v '$(BOOTSTRAP_PYTHON)' >/dev/null || { \
	  echo 'This needs Python 3.10 or later as `python3`: install it (apt-get install python3 python3-venv), then repeat.' >&2; \
	  exit 1; }
	@echo 'Installing uv $(UV_VERSION) into .tools ...'
	@rm -rf '.tools/uv-$(UV_VERSION)'; mkdir -p .tools
	@{ '$(BOOTSTRAP_PYTHON)' -m venv '.tools/uv-$(UV_VERSION)' \
	    && '.tools/uv-$(UV_VERSION)/bin/python' -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'; \
	  } >.tools/bootstrap.log 2>&1 || { rm -rf '.tools/uv-$(UV_VERSION)'; \
	  '$(BOOTSTRAP_PYTHON)' -m pip install --quiet --disable-pip-version-check \
	    --target '.tools/uv-$(UV_VERSION)' 'uv==$(UV_VERSION)' >>.tools/bootstrap.log 2>&1; \
	  } || { rm -rf '.tools/uv-$(UV_VERSION)'; mkdir -p '.tools/uv-$(UV_VERSION)/bin'; \
	  command -v uv >/dev/null && ln -s "$$(command -v uv)" $@; \
	  } || { rm -rf '.tools/uv-$(UV_VERSION)'; cat .tools/bootstrap.log; echo; \
	  echo 'uv could not be installed (above). Either `python3` has neither venv nor pip: apt-get install python3-venv;'; \
	  echo 'or PyPI cannot be reached: check the network, or set the usual PIP_INDEX_URL and UV_DEFAULT_INDEX.'; \
	  exit 1; } >&2
	@test -x $@ && touch $@
