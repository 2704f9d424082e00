# Two commands for people: `make demo` and `make test`. Each does its own set-up on a fresh Debian machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help setup demo test drill soak bench preview deb deb-test lint format pins clean

VENV := .venv
PY := $(VENV)/bin/python
HYMIO := $(VENV)/bin/hymio
# Kivy has wheels for 3.11 to 3.13; the first of these that works is taken.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null && { echo $$p; break; }; done)

# Tests wait for windows and clocks a third of their time: one process more than processors.
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 4 ? n + 1 : 4)))

# What the terminal needs to be seen and heard, and what the tests drive it with.
APT_RUN := python3-venv xvfb xdotool libgl1 libgl1-mesa-dri libgles2 libegl1 libfribidi0 fonts-noto-core \
  espeak-ng
APT_TEST := chromium postgresql strace xorriso
APT_BENCH := nodejs npm
APT_DEB_TEST := mmdebstrap debian-archive-keyring
# `make deb DEBIAN=13 ARCH=arm64` builds for another Debian and processor than this machine's.
DEBIAN ?=
ARCH ?=

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.apt-run: Makefile
	@.ci/apt $(APT_RUN)
	@mkdir -p $(VENV) && touch $@

$(VENV)/.apt-test: | $(VENV)/.apt-run
	@.ci/apt $(APT_TEST)
	@touch $@

$(VENV)/.installed: requirements/dev.txt pyproject.toml | $(VENV)/.apt-run
	@p="$(PYTHON)"; [ -n "$$p" ] || p=/usr/bin/python3; \
	 "$$p" -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' || \
	   { echo "hymio needs Python 3.11, 3.12 or 3.13 (Kivy has no wheels for others)" >&2; exit 1; }; \
	 [ -x $(PY) ] || "$$p" -m venv $(VENV)
	@$(PY) -m pip install --quiet --require-hashes -r requirements/dev.txt
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# After the rest, so that what the rest pins is there already.
$(VENV)/.installed-drill: requirements/drill.txt $(VENV)/.installed
	@$(PY) -m pip install --quiet --require-hashes -r requirements/drill.txt
	@touch $@

setup: $(VENV)/.installed ## system packages, .venv, pinned requirements

demo: setup ## centre, enrolled terminal and sender on this machine
	@exec $(HYMIO) demo

lint: setup ## ruff, mypy, import-linter
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache

test: setup $(VENV)/.apt-test lint ## everything CI checks
	@$(VENV)/bin/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

drill: setup $(VENV)/.apt-test $(VENV)/.installed-drill ## everything that breaks, tried on the programs as they are (half an hour)
	@mkdir -p build && $(PY) -m tests.drills --json build/drill.json

soak: setup ## a hundred thousand visits through the real window (hours)
	@$(PY) -m tests.soak

# What is measured against is only here; without Node.js PouchDB is told as not measured.
$(VENV)/.apt-bench: | $(VENV)/.apt-test
	@{ command -v node && command -v npm; } >/dev/null || .ci/apt $(APT_BENCH) || true
	@touch $@

bench: setup $(VENV)/.apt-bench ## figures, as ratios within one run (half an hour)
	@$(PY) -m tests.bench

preview: setup ## every screen and language of the example devices as PNG, in build/preview
	@for d in device-config/devices/*.toml; do \
	   $(HYMIO) fleet preview "$$(basename $$d .toml)" --out build/preview/"$$(basename $$d .toml)"; done

deb: setup ## packages for devices and the centre, in build/ (DEBIAN=13, ARCH=arm64)
	@$(PY) device-config/os/package.py $(if $(DEBIAN),--debian $(DEBIAN)) $(if $(ARCH),--arch $(ARCH))

deb-test: deb ## install, upgrade, refuse and purge them in a fresh Debian (as root)
	@.ci/apt $(APT_DEB_TEST)
	@$(PY) -m tests.os.debtest $(if $(DEBIAN),--debian $(DEBIAN))

format: setup ## ruff's formatter and safe fixes
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

pins: setup ## write the pinned requirement files anew (needs uv)
	@for x in device centre dev drill; do \
	   e="--extra $$x"; [ $$x = dev ] && e="--extra device --extra centre --extra fleet --extra dev"; \
	   [ $$x = drill ] && e="--extra drill --constraint requirements/dev.txt"; \
	   uv pip compile pyproject.toml $$e --universal --python-version 3.11 --generate-hashes --no-header \
	     --no-emit-index-url --no-annotate --no-emit-find-links --quiet --output-file requirements/$$x.txt; done
	@uv pip compile requirements/peers.in --universal --python-version 3.11 --generate-hashes --no-header \
	   --no-emit-index-url --no-annotate --no-emit-find-links --quiet --output-file requirements/peers.txt
	@cd tests/bench/peers && npm update --package-lock-only --ignore-scripts --no-audit --no-fund

clean: ## the environment and what was built
	@rm -rf $(VENV) build dist
