# airunway: `make preview` shows the dev stack, `make test` runs the tests. Needs Python 3.11+ and make.
PYTHON ?= python3
STACK ?= dev
VENV := .venv
BIN := $(VENV)/bin
# An output formatted into a string is a bug, not text.
export PULUMI_ERROR_OUTPUT_STRING := 1

.PHONY: help preview test fuzz test-pages verify-vendored test-cluster test-sizing bench bench-quick upgrade-state lint check format lint types golden schema reference pictures live-pictures docs lock clean
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

# pip verifies each hash of the lock; the program itself is linked, not copied.
$(VENV)/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1); run: make PYTHON=python3.12 …"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the pinned dependencies into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "Installing the pinned development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.run requirements-docs.txt
	@echo "Installing the pinned documentation tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

preview: $(VENV)/.run ## Preview a stack without cluster or Pulumi CLI (STACK=dev)
	@$(BIN)/airunway preview $(STACK)
	@test ! -t 1 || echo "Next: $(BIN)/airunway init mine makes a stack of your own; stacks/Pulumi.$(STACK).yaml is this one."

# Many tests wait for servers, so there are more workers than cores.
test: $(VENV)/.dev ## Run the default test suite
	@$(BIN)/python -m pytest -n $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )) --dist loadfile

fuzz: $(VENV)/.dev ## Try 500,000 odd inputs, other ones in each run, and print totals and the worst of them (20 minutes)
	@$(BIN)/python -m pytest --hypothesis-profile fuzz -o faulthandler_timeout=7200 tests/fuzz

test-pages: $(VENV)/.dev ## Run the page and the console in Chromium
	@$(BIN)/python -m pytest -rs -n auto --dist loadfile tests/pages

verify-vendored: $(VENV)/.dev ## Compare the scripts of others that the package brings with npm's (needs a network)
	@AIRUNWAY_NPM=$${AIRUNWAY_NPM:-https://registry.npmjs.org} $(BIN)/python -m pytest -rs tests/unit/test_vendored.py

test-cluster: $(VENV)/.dev ## Run the real engine against a real API server (builds both with Go where they are not on PATH)
	@$(BIN)/python -m pytest -s -rs -o faulthandler_timeout=1800 tests/cluster

# In an environment of its own: what it needs is no part of the program.
$(VENV)/.sizing: $(VENV)/.dev airunway/assessment/sizing.yaml
	@echo "Installing aiconfigurator (850 MB) into $(VENV)/sizing …"
	@$(PYTHON) -m venv --clear $(VENV)/sizing
	@$(VENV)/sizing/bin/python -m pip install --quiet --disable-pip-version-check \
		aiconfigurator==$$($(BIN)/python -c "from airunway.assessment.sizing import sizing_data; print(sizing_data().version)")
	@touch $@

test-sizing: $(VENV)/.sizing ## Compare what is recorded of aiconfigurator with the real one (850 MB, needs a network once)
	@AIRUNWAY_AICONFIGURATOR=$(abspath $(VENV))/sizing/bin/aiconfigurator $(BIN)/python -m pytest -rs -o faulthandler_timeout=900 tests/graph/test_aiconfigurator.py

bench: $(VENV)/.dev ## Measure, and write BENCHMARKS.md
	@$(BIN)/python -m bench

bench-quick: $(VENV)/.dev ## Measure with fewer deployments and runs, and print
	@$(BIN)/python -m bench --quick --output -

upgrade-state: $(VENV)/.dev ## Record the state that RELEASE=x.y.z leaves, for the upgrade test
	@UPGRADE=record RELEASE=$(RELEASE) $(BIN)/python -m pytest tests/cluster -k test_record_the_state

lint: $(VENV)/.dev ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

check: lint test ## Check format, lint and types, then run the tests

format: $(VENV)/.dev ## Format the code and sort imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

golden: $(VENV)/.dev ## Rewrite the golden files
	GOLDEN=rewrite $(BIN)/python -m pytest -k golden

schema: $(VENV)/.run ## Rewrite what is made from the models: JSON Schemas, the settings in Pulumi.yaml, the components' argument types and schema
	$(BIN)/airunway schema > stacks/stack.schema.json
	$(BIN)/airunway schema --deployments > stacks/deployments.schema.json
	$(BIN)/airunway schema --project > $(VENV)/Pulumi.yaml
	cp $(VENV)/Pulumi.yaml Pulumi.yaml
	$(BIN)/airunway schema --argument-types components
	$(BIN)/python -c "from components.plugin import schema; print(schema(), end='')" > components/schema.json
	$(MAKE) reference

reference: $(VENV)/.run ## Rewrite docs/reference.md from the models and the commands' help
	$(BIN)/python -m airunway.cli.reference > $(VENV)/reference.md
	cp $(VENV)/reference.md docs/reference.md

pictures: $(VENV)/.dev ## Take the pictures in docs/ anew (needs Chromium)
	@$(BIN)/python docs/pictures.py

live-pictures: $(VENV)/.dev ## Take those of a stack that runs (needs Chromium, and Go once)
	@PYTHONPATH=. $(BIN)/python docs/live_pictures.py

docs: $(VENV)/.docs ## Build the documentation into build/docs
	@$(BIN)/python -m mkdocs build --strict

lock: $(VENV)/.dev ## Rewrite the lock files from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra all -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 -o components/requirements.txt pyproject.toml
	cp requirements.txt requirements-policy-pack.txt # the versions of the program, but where the extra wants others
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra policy-pack -o requirements-policy-pack.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev -o requirements-dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra docs -c requirements-dev.txt -o requirements-docs.txt pyproject.toml

clean: ## Remove what was installed and cached
	rm -rf $(VENV) build/docs .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
