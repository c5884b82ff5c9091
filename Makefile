# Thin: everything is done by `python3 -m ops`, which `--help` explains.
PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo-day test check bench chaos

# make exports what is given on its command line: `make run PORT=9000` reaches the launcher.

help: ## show this
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: ## start everything on this machine; Ctrl-C stops it (PORT, SANDBOX_PORT)
	@$(PYTHON) -m ops run

demo-day: ## a day at speed, with faults and a night, that ends with a proof (PAYMENTS, SEED, ARGS=--keep)
	@$(PYTHON) -m ops demo-day $(if $(PAYMENTS),--payments=$(PAYMENTS)) $(if $(SEED),--seed=$(SEED)) $(ARGS)

test: ## everything that CI checks; make test ARGS="-k name" gives options to pytest
	@$(PYTHON) -m ops test $(if $(ARGS),-- $(ARGS))

check: ## linters, types, layers, missing migrations
	@$(PYTHON) -m ops check

bench: ## the measurements
	@$(PYTHON) -m ops bench $(if $(ARGS),-- $(ARGS))

chaos: ## thousands of random histories, races and crashes; prints the seed that repeats them
	@$(PYTHON) -m ops chaos $(if $(ARGS),-- $(ARGS))
