# Every target that needs Python stands on `setup`, which does nothing when nothing changed.
BIN := .venv/bin
PYTHON_FILES := appliance tests tools $(wildcard hil_tests models image)

SEEDS ?= 500
CHECK_SEEDS ?= 20
IMAGES ?= 2000
SECONDS ?= 60
TESTS ?= tests

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup programs kernels run broker check fmt fmt-check lint types arch test world crash fuzz bench peers image hil-test assistant board train lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: ## make .venv from the locked wheels (PYTHON=... chooses the interpreter)
	@tools/setup.sh

programs: ## install the Debian programs that tests start
	@tools/programs.sh

kernels: setup ## compile the kernels, where their sources changed
	@tools/kernels.sh

run: kernels ## start the appliance (ARGS="..." goes to `appliance run`)
	@$(BIN)/appliance run $(ARGS)

broker: programs ## start a local MQTT broker to try `make run ARGS="--broker mqtt://127.0.0.1:1883"` with; Ctrl-C ends it
	@PATH="$$PATH:/usr/sbin" mosquitto -v -p 1883

check: fmt-check lint types test ## everything a change must pass; what CI runs
	@$(MAKE) --no-print-directory world SEEDS=$(CHECK_SEEDS)

fmt: setup ## format the code
	@$(BIN)/ruff format --quiet $(PYTHON_FILES)

fmt-check: setup ## fail when code is not formatted
	@$(BIN)/ruff format --check $(PYTHON_FILES)

lint: setup ## ruff with all rules
	@$(BIN)/ruff check $(PYTHON_FILES)

types: setup ## mypy, strict
	@$(BIN)/mypy

arch: setup ## import contracts, lengths, purity (part of `test` too)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q tests/architecture

# Tests marked serial want the machine to themselves; pytest's exit code 5 says that none was chosen. They go first, so
# that the count of the many is the last line.
test: kernels programs ## the whole suite (TESTS=tests/unit for a part)
	@$(BIN)/pytest -q -m serial $(TESTS) || [ $$? -eq 5 ]
	@$(BIN)/pytest -q -n 2 -m "not serial" $(TESTS)

world: kernels ## simulate SEEDS worlds of faults and check the invariants (PLANTED=1: see planted bugs caught)
	@$(BIN)/appliance world $(if $(PLANTED),--planted,--seeds $(SEEDS))

crash: setup programs ## cut the power at IMAGES moments and check what the disk may hold then
	@$(BIN)/python -m tests.integration.crash.images --images $(IMAGES)

fuzz: setup ## feed every reader with bytes for SECONDS each, guided by what they reach
	@$(BIN)/python -m tests.property.fuzz --seconds $(SECONDS)

peers: setup ## install the systems that benches are set beside, apart from everything else
	@tools/peers.sh

bench: kernels peers ## measure every stage, print the table, write it as JSON (makes .venv-train too, for LightGBM)
	@tools/train.sh --environment
	@$(BIN)/python -m tests.bench

image: setup ## make the card's image (ARCH=amd64: the same system for this machine's bench)
	@image/build.sh

hil-test: kernels ## run the bench cards (RIG=virtual: a booted image; RIG=simulated: without a box)
	@$(BIN)/python -m hil_tests $(RIG)

assistant: kernels programs ## let Home Assistant as released find a running appliance (needs Python 3.13: ASSISTANT_PYTHON=...)
	@tools/home_assistant.sh

board: setup ## run every wheel and model on an emulated Cortex-A72 (needs qemu-user; fetches the rest)
	@$(BIN)/python tools/board.py

train: setup ## train the models from recorded bars, in an environment of its own (ARGS=--small for a short look)
	@tools/train.sh $(ARGS)

lock: setup ## resolve again and write requirements/*.txt with hashes
	@$(BIN)/python tools/lock.py

clean: ## remove everything that was made, .venv too
	@rm -rf .venv .venv-peers .venv-train .venv-assistant build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
