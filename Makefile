# Thin: everything is done by `python3 -m ops`, which `--help` explains.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos

# make exports what is given on its command line: `make run PORT=9000` reaches the launcher.

help: ## show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: ## start everything on this machine; Ctrl-C stops it (PORT, SANDBOX_PORT)
	@$(PYTHON) -m ops run

test: ## everything that CI checks; make test ARGS="-k name" gives options to pytest
	@$(PYTHON) -m ops test $(if $(ARGS),-- $(ARGS))

check: ## linters, types, layers, missing migrations
	@$(PYTHON) -m ops check

bench: ## the measurements
	@$(PYTHON) -m ops bench $(if $(ARGS),-- $(ARGS))

chaos: ## thousands of random histories, races and crashes; prints the seed that repeats them
	@$(PYTHON) -m ops chaos $(if $(ARGS),-- $(ARGS))
