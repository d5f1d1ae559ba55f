# The work is done by scripts/dev.py (standard library only); this file gives it short names.
PYTHON ?= python3
PORT ?= 8000
export VENV ?= .venv
export AUTHOR
DEV = $(PYTHON) scripts/dev.py

.PHONY: help book lab test build refresh bench lock clean

help:
	@echo "make book    install what is missing, build the book, serve it here, print the address"
	@echo "make lab     install what is missing, open JupyterLab on labs/ (chapters are in book/)"
	@echo "make test    all tests: runtime, every notebook, the book and JupyterLab in a browser"
	@echo "make build   build the book into _build/html and stop"
	@echo "make refresh run the notebooks and store their outputs (NOTEBOOKS=book/03-first-function.ipynb for one)"
	@echo "make bench   how fast the runtime is, against baselines of the same run"
	@echo "make lock    renew requirements.txt from pyproject.toml (needs uv)"
	@echo "make clean   remove .venv and everything built"
	@echo
	@echo "PORT=8000: where the book is served. VENV=.venv: where packages go. PYTHON=python3: for it."

book:
	@$(DEV) book --port $(PORT)

lab:
	@$(DEV) lab

test:
	@$(DEV) test

build:
	@$(DEV) build

refresh:
	@$(DEV) refresh $(NOTEBOOKS)

bench:
	@$(DEV) bench

lock:
	@$(DEV) lock

clean:
	@$(DEV) clean
