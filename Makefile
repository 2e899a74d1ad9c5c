# `make demo` and `make test` do all of their own set-up, in .venv, on a machine with Python 3.11 to 3.13.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

RESOLVE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev pyproject.toml --no-header --no-annotate

DATA ?= ../shared/data
DEIT ?= ../shared/models/deit-tiny-patch16-224
CLIP ?= ../shared/models/clip-vit-base-patch16
OUT ?= runs

.PHONY: demo test lint checkpoints constraints newest audit clean

demo: .venv/demo-ready  ## start the app at http://127.0.0.1:7860 with virtus-base
	$(BIN)/python app.py

test: .venv/dev-ready  ## run all tests, two files at a time
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/dev-ready  ## what CI checks beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

checkpoints: .venv/dev-ready  ## train the bundled ones anew, and what the fast one starts from: DATA=... CLIP=... DEIT=... OUT=...
	$(BIN)/python -m train fit --recipe virtus-base --data $(DATA) --base $(CLIP) --out $(OUT)/virtus-base --resume
	$(BIN)/python -m train fit --recipe virtus-tiny --data $(DATA) --base $(DEIT) --out $(OUT)/virtus-tiny --resume
	$(BIN)/python -m train fit --recipe virtus-fast --data $(DATA) --base $(OUT)/virtus-tiny/checkpoint \
		--out $(OUT)/virtus-fast --resume --set teacher=$(OUT)/virtus-base/checkpoint

constraints: $(BIN)/uv  ## renew constraints.txt: the newest versions that the requirements allow
	{ head -1 constraints.txt; $(RESOLVE); } > .venv/constraints.txt
	mv .venv/constraints.txt constraints.txt

newest: $(BIN)/uv  ## say which newer versions the requirements allow; installs nothing
	$(RESOLVE) --output-file .venv/newest.txt > .venv/newest.log
	diff --unchanged-line-format= --old-line-format= --new-line-format='newer: %L' constraints.txt .venv/newest.txt || true

audit: .venv/dev-ready  ## look the installed packages up in PyPI's advisories; needs the network
	$(BIN)/uv pip freeze --quiet --python $(BIN)/python > .venv/installed.txt
	$(BIN)/uv tool run pip-audit --disable-pip --no-deps -r .venv/installed.txt

clean:
	rm -rf .venv

.venv/demo-ready: $(BIN)/uv requirements.txt constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt -c constraints.txt
	touch $@

.venv/dev-ready: $(BIN)/uv requirements.txt pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r pyproject.toml --extra dev -c constraints.txt
	touch $@

$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "Virtus needs Python 3.11, 3.12 or 3.13: install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
