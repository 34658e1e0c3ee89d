# Two commands are enough: `make lab` to study, `make test` to check. `make help` lists the rest.
# Each target is one or two plain lines: without make, type them yourself (CONTRIBUTING shows them).

PYTHON ?= python3
RUN = .venv/bin/python
TEST_WORKERS ?= 2
NBGRADER_COURSE ?= build/class
# No display: JupyterLab prints its address. Root, in a container: it wants to be told so.
ifeq ($(shell uname -s),Linux)
LAB_OPTIONS = $(if $(DISPLAY)$(WAYLAND_DISPLAY),,--no-browser) $(if $(filter 0,$(shell id -u)),--allow-root)
endif

.DEFAULT_GOAL := help
.PHONY: help lab test test-all frameworks class train bench gpu slides handouts site notebooks tables figures \
	constraints check clean screenshot

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

lab: .venv/installed ## open JupyterLab on the first lesson
	$(RUN) -m jupyterlab $(LAB_OPTIONS) --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

test: .venv/installed ## run every test and every notebook, at smoke scale
	$(RUN) -m pytest -n $(TEST_WORKERS) --dist loadscope

test-all: .venv/class .venv/teach test ## make test, then what is slow: installing, grading, slides, three frameworks
	$(RUN) -m pytest -n $(TEST_WORKERS) --dist load -m slow
	$(RUN) frameworks/compare.py --parity

class: .venv/class ## turn the lessons into an nbgrader course in NBGRADER_COURSE=build/class
	$(RUN) -m tools.classroom $(NBGRADER_COURSE)

frameworks: .venv/installed ## prove VGG equal in PyTorch, MXNet and MindSpore, time and train it
	$(RUN) frameworks/compare.py

train: .venv/installed ## train VGG-11 with no notebook: progress bar, table, runs/curve.svg
	$(RUN) -m d2lvgg train

bench: .venv/installed ## the book's training against ours, in pairs; nothing else should run
	$(RUN) benchmarks/train_speed.py

gpu: .venv/installed ## on a machine with a GPU: measure what the course says of GPUs, in parts (PARTS=speed)
	$(RUN) -m tools.gpu $(PARTS)

notebooks: .venv/installed ## build and execute notebooks/ from lessons/
	$(RUN) -m tools.notebooks --measure

tables: .venv/installed ## fill in the pages' tables from what was measured
	$(RUN) -m tools.notebooks --tables

figures: .venv/installed ## draw images/ anew
	$(RUN) -m tools.figures

check: .venv/installed ## print what a bug report needs
	$(RUN) -m d2lvgg check

slides: .venv/teach ## make build/slides/: one HTML file a lesson, needs no network
	$(RUN) -m tools.slides

handouts: .venv/teach ## make build/handouts/: a page a lesson, to print
	$(RUN) -m tools.handout

site: .venv/teach ## make build/site/: the course to read without Python
	$(RUN) -m tools.website

screenshot: .venv/installed ## take README's picture of lesson 09 in JupyterLab anew
	D2LVGG_SCREENSHOT=images/jupyterlab.png $(RUN) -m pytest -m slow tests/test_browser.py -k lesson_09

constraints: .venv/installed ## move constraints.txt to the newest versions
	.venv/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 \
	  --no-annotate --no-header --upgrade -o constraints.txt

clean: ## remove the environment and everything built in it
	rm -rf .venv build runs

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv
	.venv/bin/uv pip install --python .venv/bin/python -e '.[test,book]' -c constraints.txt
	@touch $@

.venv/teach: .venv/installed
	.venv/bin/uv pip install --python .venv/bin/python -e '.[test,book,teach]' -c constraints.txt
	@touch $@

# Apart, so that a student's JupyterLab stays without nbgrader's menus.
.venv/class: .venv/installed
	.venv/bin/uv pip install --python .venv/bin/python -e '.[test,book,class]' -c constraints.txt
	@touch $@
