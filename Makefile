# The two commands: `make demo` and `make test`. Both set themselves up; nothing but Python 3.11 or newer is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
FAULT ?=
TESTS ?= tests
comma := ,

.PHONY: demo test test-long lint docs clean bench

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seatrial needs Python 3.11 or newer; say which with PYTHON=...; this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all]' --group dev
	@touch $@

# Verify a release against the embedded platform, and decide. `make demo FAULT=slow-candidate` switches a fault on.
demo: $(STAMP)
	@$(BIN)/pytest --env=demo $(addprefix --demo-fault=,$(subst $(comma), ,$(FAULT))) || test $$? -eq 1
	@$(BIN)/seatrial gate reports/latest

test: $(STAMP)
	$(BIN)/pytest -n 2 -m "not long" $(TESTS)

# What takes minutes: whole rollouts behind a real proxy, one after the other, since they measure latencies.
test-long: $(STAMP)
	$(BIN)/pytest -m long $(TESTS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Regenerate what is generated; CI fails where that changes a file.
docs: $(STAMP)
	$(BIN)/python -m seatrial.environment.documentation
	$(BIN)/python -m seatrial.checks.documentation
	$(BIN)/python -m seatrial.conversation.documentation
	$(BIN)/python -m seatrial.journey.documentation
	$(BIN)/python -m seatrial.load.documentation
	$(BIN)/python -m seatrial.evidence.documentation
	$(BIN)/python -m seatrial.gate.documentation
	PYTHONPATH=tests $(BIN)/python -m support.decisions.page
	PYTHONPATH=tests $(BIN)/python -m support.known_checks

# Change points over stored baselines want an older NumPy than the rest: an environment of its own, for its tests.
HISTORY := .cache/history/.ready
history: $(HISTORY)
$(HISTORY): pyproject.toml
	$(PYTHON) -m venv .cache/history
	.cache/history/bin/python -m pip install --quiet --editable '.[history]'
	@touch $@
.PHONY: history

bench: $(STAMP)
	$(BIN)/python benchmarks/$(NAME).py

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find reports -mindepth 1 -maxdepth 1 ! -name README.md ! -name .gitignore -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Renew the pins: install the newest that the ranges allow into an empty environment, and write down what came.
constraints:
	rm -rf .cache/constraints && $(PYTHON) -m venv .cache/constraints
	.cache/constraints/bin/python -m pip install --quiet --upgrade pip
	.cache/constraints/bin/python -m pip install --quiet --editable '.[all]' --group dev
	{ echo "# What the two make commands install; renewed by 'make constraints' on the oldest Python supported."; \
	  .cache/constraints/bin/python -m pip freeze --all --exclude-editable; } > constraints.txt
.PHONY: constraints
