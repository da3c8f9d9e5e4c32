# Everything starts here: `make help`. Each target installs what it needs first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
export PYTHONWARNINGS ?= ignore::UserWarning:mmengine

.DEFAULT_GOAL := help
# A file's tests stay together: they share what they train and render.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder
.PHONY: help install demo test test-quick test-numpy1 test-newest check spell format \
	docs doctor clean

help: ## show the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/installed ## make .venv with the tested set of packages

$(VENV)/installed: requirements.txt requirements/dev.txt requirements/export.txt pyproject.toml
	sh tools/make_venv.sh $(PYTHON) $(VENV) requirements.txt
	touch $@

demo: install ## synthetic data -> auxSKD -> VSPP -> fine-tune -> test, and a report
	$(RUN) tools/data/prepare.py synthetic
	$(RUN) tools/pipeline.py configs/pipelines/tiny_synthetic.py
	$(RUN) tools/report.py work_dirs/pipelines/tiny_synthetic \
		work_dirs/pipelines/tiny_synthetic/report.html

test: install ## every test
	OMP_NUM_THREADS=1 $(RUN) $(PYTEST)

test-quick: install ## the tests that take less than about ten seconds each
	OMP_NUM_THREADS=1 $(RUN) $(PYTEST) -m 'not slow'

.venv-numpy1/installed: requirements/numpy1.txt requirements/dev.txt requirements/export.txt pyproject.toml
	sh tools/make_venv.sh $(PYTHON) .venv-numpy1 requirements/numpy1.txt
	touch $@

# Where arrays and pictures are handled; the rest does not know which NumPy it is.
NUMPY_TESTS := tests/compat tests/datasets tests/evaluation tests/models/human_parsers

test-numpy1: .venv-numpy1/installed ## quick tests of arrays on NumPy 1.26, OpenCV 4.11
	OMP_NUM_THREADS=1 .venv-numpy1/bin/python $(PYTEST) -m 'not slow' $(NUMPY_TESTS)

# Where releases of Python and packages are met first.
NEWEST_TESTS := tests/compat tests/datasets/video_readers tests/engine tests/transfer \
	tests/test_*.py

test-newest: ## quick tests on $(PYTHON), e.g. python3.13, with the newest of everything
	@folder=$$(sh tools/newest_venv.sh $(PYTHON)) || exit 1; \
	if [ -n "$$folder" ]; then \
		OMP_NUM_THREADS=1 PYTHONPATH="$(CURDIR)" "$$folder/bin/python" $(PYTEST) \
			-m 'not slow' $(NEWEST_TESTS); \
	fi

check: install ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

spell: install ## spelling of code and pages
	$(VENV)/bin/codespell

docs: $(VENV)/docs ## build the site into build/site; needs no network once installed
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

$(VENV)/docs: $(VENV)/installed requirements/docs.txt
	$(RUN) -m pip --disable-pip-version-check install --quiet -r requirements/docs.txt
	touch $@

doctor: ## examine the installation, also a broken one
	@if [ -x $(RUN) ]; then $(RUN) tools/doctor.py; else $(PYTHON) tools/doctor.py; fi

format: install ## mend the style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean: ## remove the environments and caches, not data/ and work_dirs/
	rm -rf .venv .venv-numpy1 .mypy_cache .pytest_cache .ruff_cache mmkd.egg-info build
