# `make run`, `make test`, `make lint`. Requires GNU make, a POSIX shell and any Python 3.9 or later.
# Tools are installed into .tools/ and the locked environment into .venv/; nothing outside this directory is changed.

# Python version of the environment, such as 3.12; empty: the one with the newest TFX that can be installed here.
PYTHON ?=
UV_VERSION := 0.13.9
# Python that installs uv; uv finds or downloads the project's own Python.
BOOTSTRAP_PYTHON ?= python3
# 1: with the libraries of CUDA (about 4 GB); empty: without. Default: with them where the driver of an NVIDIA GPU is.
GPU ?= $(if $(wildcard /dev/nvidia[0-9]*),1)
JOBS ?= 2
OUTPUT ?= out/sample
MINUTES ?= 10
JOB_ENDPOINT ?=
# Versions of the Kubeflow SDK: the oldest 2.x, the locked one of TFX 1.16, and a recent one.
KFP_VERSIONS ?= 2.0.0 2.5.0 2.17.3

VENV := .venv
UV := .tools/uv-$(UV_VERSION)/bin/uv
# A file per request: with another PYTHON the environment is made again.
INSTALLED := $(VENV)/.installed-$(or $(PYTHON),auto)$(if $(GPU),-gpu)
MANIFESTS := $(VENV)-manifests/.installed
BENCH_PYTHON := $(VENV)-bench/bin/python
BENCH_OUTPUT ?= out/bench
# RecTools needs other versions of pandas and numpy than TFX, so it is not in the lock file.
RECTOOLS_VERSION := 0.19.0
SASREC := .venv-sasrec
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.tools/python
# Compile bytecode at installation: if it cannot be written later, every process would compile TFX at its start.
export UV_COMPILE_BYTECODE := 1

.PHONY: help install run test test-deps test-long test-notebooks test-beam-engine fuzz test-kfp audit coverage lint docs bench bench-transformer format clean
.DEFAULT_GOAL := help

help: ## show this text
	@echo 'Targets:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile
	@echo 'TFX 1.21 on Python 3.13, 3.12 or 3.11 is installed where it can be, else TFX 1.16 on Python 3.10; PYTHON=3.10 chooses.'

install: $(INSTALLED) ## install the locked environment

run: $(INSTALLED) ## train, evaluate and publish a model from the built-in sample, into OUTPUT=out/sample
	@$(VENV)/bin/caser run --sample --output '$(OUTPUT)'

test: $(INSTALLED) $(MANIFESTS) ## run the tests, except the slow ones of test-long
	@$(VENV)/bin/pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-deps: ## install system packages that some tests need (Debian): Chromium, MariaDB, PostgreSQL, promtool
	@missing=; \
	command -v chromedriver >/dev/null || missing="$$missing chromium chromium-driver"; \
	command -v mariadbd >/dev/null || missing="$$missing mariadb-server"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v promtool >/dev/null || missing="$$missing prometheus"; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	[ -z "$$missing" ] || { \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -q && \
	  $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; } || { \
	  echo "These could not be installed with apt-get from Debian packages (see above):$$missing. Hint: install them in"; \
	  echo 'another way (Ubuntu: snap install chromium), or skip this step: tests without them are skipped.'; \
	  exit 1; } >&2

test-long: $(INSTALLED) ## run the slow tests: emulated cluster, Beam workers and engine, object store, data-parallel training, own pipeline
	@$(VENV)/bin/pytest -m long $(ARGS)

test-notebooks: $(INSTALLED) ## execute the notebooks
	@$(VENV)/bin/pytest --nbmake notebooks $(ARGS)

test-beam-engine: $(INSTALLED) ## run the pipeline on the Beam engine at JOB_ENDPOINT=host:port, or on one that is started here
	@JOB_ENDPOINT='$(JOB_ENDPOINT)' $(VENV)/bin/pytest -m beam_engine $(ARGS)

fuzz: $(INSTALLED) ## try new files, arguments and answers for MINUTES=10
	@$(VENV)/bin/python -W ignore -m tests.fuzz --minutes '$(MINUTES)'

test-kfp: $(INSTALLED) ## load compiled pipelines with several versions of the Kubeflow SDK, KFP_VERSIONS
	@for preset in sample ml-1m-caser; do \
	  $(VENV)/bin/caser kubeflow compile --preset $$preset --image caser:1 --output out/kfp/$$preset.yaml >/dev/null || exit 1; \
	done
	@echo 'webhook: https://example.com' >out/kfp/cluster.yaml
	@$(VENV)/bin/caser kubeflow compile --preset sample --image caser:1 --cluster out/kfp/cluster.yaml \
	  --output out/kfp/reporting.yaml >/dev/null
	@for version in $(KFP_VERSIONS); do \
	  $(UV) run --quiet --isolated --no-project --python '$(VENV)/bin/python' --with "kfp==$$version" \
	    python -W ignore tests/pipeline/kubeflow/compiler/load_with_kfp.py out/kfp/sample.yaml out/kfp/ml-1m-caser.yaml out/kfp/reporting.yaml || exit 1; \
	done

audit: $(INSTALLED) ## ask PyPI for known vulnerabilities of the locked packages
	@$(UV) export --frozen --quiet --no-dev --no-emit-project --no-hashes --output-file .tools/requirements.txt
	@$(UV) tool run --quiet --python '$(VENV)/bin/python' pip-audit --requirement .tools/requirements.txt --no-deps \
	  --disable-pip --strict --progress-spinner off || { \
	  echo 'Known vulnerabilities, or no answer (see above). Hint: SECURITY.md says which are reachable; the audit needs pypi.org.' >&2; \
	  exit 1; }

coverage: $(INSTALLED) ## print the branch coverage of the tests, subprocesses included
	@$(VENV)/bin/coverage erase
	@COVERAGE_PROCESS_START=pyproject.toml $(VENV)/bin/coverage run -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)
	@$(VENV)/bin/coverage combine --quiet
	@$(VENV)/bin/coverage report

lint: $(INSTALLED) docs ## ruff, mypy, import contracts, documentation
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo --no-cache

docs: $(INSTALLED) ## build the documentation into site/
	@$(VENV)/bin/caser config --markdown | diff -u docs/configuration.md - || { \
	  echo 'docs/configuration.md is outdated. Hint: $(VENV)/bin/caser config --markdown > docs/configuration.md' >&2; exit 1; }
	@NO_MKDOCS_2_WARNING=true $(VENV)/bin/mkdocs build --strict --quiet

bench: $(INSTALLED) $(BENCH_PYTHON) ## measure speed against plain PyTorch: DATA=interactions.csv, BENCH_ARGS=--quick for a smoke test
	@test -n '$(DATA)' || { echo 'DATA is not set. Hint: make bench DATA=path/to/interactions.csv (MovieLens-1M)' >&2; exit 2; }
	@$(VENV)/bin/python -m benchmarks.speed --data '$(DATA)' --output '$(BENCH_OUTPUT)' \
	  --torch-python '$(BENCH_PYTHON)' $(BENCH_ARGS)

bench-transformer: $(INSTALLED) ## measure SASRec on the split of a finished run: RUN=out/toys, BENCH_ARGS='--minutes 10'
	@test -n '$(RUN)' || { echo 'RUN is not set. Hint: make bench-transformer RUN=out/mine (a run with leave_last)' >&2; exit 2; }
	@$(UV) venv --quiet --allow-existing --python 3.11 '$(SASREC)'
	@$(UV) pip install --quiet --python '$(SASREC)/bin/python' 'rectools[torch]==$(RECTOOLS_VERSION)'
	@$(VENV)/bin/python -m benchmarks.transformer --run '$(RUN)' --sasrec-python '$(SASREC)/bin/python' \
	  --output '$(BENCH_OUTPUT)/transformer' $(BENCH_ARGS)

# PyTorch, for the baseline of the benchmarks: about 5 GB, since the build on PyPI includes CUDA.
$(BENCH_PYTHON): $(INSTALLED) uv.lock
	@echo 'Installing PyTorch for the benchmarks into $(VENV)-bench ...'
	@UV_PROJECT_ENVIRONMENT='$(VENV)-bench' $(UV) sync --locked --quiet --only-group bench --python '$(VENV)/bin/python'
	@touch -c $@

$(MANIFESTS): $(INSTALLED) uv.lock
	@UV_PROJECT_ENVIRONMENT='$(VENV)-manifests' $(UV) sync --locked --quiet --only-group manifests --python '$(VENV)/bin/python'
	@touch $@

format: $(INSTALLED) ## format the code
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

clean: ## remove environments, tools and results
	rm -rf .tools .venv .venv-* out site

$(INSTALLED): $(UV) uv.lock pyproject.toml setup.py
	@python=$$('$(BOOTSTRAP_PYTHON)' choose_python.py '$(UV)' $(PYTHON)) || exit 1; \
	echo 'Installing the locked environment into $(VENV) ...'; \
	$(UV) sync --locked --quiet $(if $(GPU),--extra gpu) --python "$$python"
	@rm -f $(VENV)/.installed-*
	@touch $@

# uv is installed from PyPI with venv or pip; otherwise a uv on the PATH is used.
$(UV):
	@command -v '$(BOOTSTRAP_PYTHON)' >/dev/null || { \
	  echo '`python3` (3.9 or later) was not found. Hint: apt-get install python3 python3-venv' >&2; \
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
	  echo 'uv could not be installed (see above). Hint: if python3 has neither venv nor pip, apt-get install python3-venv;'; \
	  echo 'if PyPI cannot be reached, check the network, or set PIP_INDEX_URL and UV_DEFAULT_INDEX.'; \
	  exit 1; } >&2
	@test -x $@ && touch $@
