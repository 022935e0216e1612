# Watchkeeper: the two commands are `make run` and `make test`; the others are parts of them.
# Everything that is built lies in a cache folder outside the checkout, so a fresh clone starts warm.

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/watchkeeper
export CARGO_TARGET_DIR ?= $(CACHE)/target
export WATCHKEEPER_VENV ?= $(CACHE)/venv
export WATCHKEEPER_SDK_VENV ?= $(CACHE)/sdk-venv
export WATCHKEEPER_SDK_BENCH_VENV ?= $(CACHE)/sdk-bench-venv
export WATCHKEEPER_OTLP_RUST ?= $(CACHE)/otlp-rust
export WATCHKEEPER_TEST_PYTHON ?= $(WATCHKEEPER_VENV)/bin/python
# Backtraces of panics that a test expects hide the output that matters.
export RUST_BACKTRACE ?= 0

.PHONY: help run test build ui lint bench bench-sdk soak clean prepare test-rust test-python test-sdk test-ui

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: build ## Start Redis, the example pipeline and Watchkeeper; Ctrl-C stops all of it
	@scripts/prepare.sh redis python
	@scripts/run.sh "$(CARGO_TARGET_DIR)/release/watchkeeper"

build: ui ## Build the binary, the web page included
	cargo build --release --locked --package cli
	@echo "built $(CARGO_TARGET_DIR)/release/watchkeeper"

# The page comes first: what is embedded is then compiled once.
test: ui lint test-rust test-python test-sdk test-ui ## Check and test everything

lint: ## Format, clippy with warnings as errors, layers and tidiness of the house
	cargo fmt --all --check
	cargo fmt --manifest-path tests/otlp-rust/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo xtask layers
	cargo xtask tidy

# The scenarios start the binary that `--package cli` builds, against real services.
test-rust: prepare
	@if cargo nextest --version >/dev/null 2>&1; then \
	  cargo nextest run --workspace --locked; \
	else \
	  cargo test --workspace --locked; \
	fi

test-python: prepare
	$(WATCHKEEPER_TEST_PYTHON) -m pytest -q -p no:cacheprovider examples/docpipe examples/celery rules deploy/grafana

# The Python package: with each queue and framework that it knows, and against the binary that the Rust tests built.
test-sdk: ## Test the Python package
	@scripts/prepare.sh redis sdk
	cargo test --workspace --locked --no-run --quiet
	cd sdk/python && $(WATCHKEEPER_SDK_VENV)/bin/ruff format --check . && $(WATCHKEEPER_SDK_VENV)/bin/ruff check . && $(WATCHKEEPER_SDK_VENV)/bin/mypy --strict
	cd sdk/python && WATCHKEEPER_BINARY="$(CARGO_TARGET_DIR)/debug/watchkeeper" $(WATCHKEEPER_SDK_VENV)/bin/python -m pytest -q -p no:cacheprovider

# Unit tests, and Login, Overview and Explore in a real Chromium against the binary that the Rust tests built.
test-ui: ui
	@scripts/prepare.sh redis python chromium
	cargo test --workspace --locked --no-run --quiet
	cd ui && npm run --silent check && npm run --silent test
	cd ui && WATCHKEEPER_BINARY="$(CARGO_TARGET_DIR)/debug/watchkeeper" npm run --silent browser

# Does nothing when ui/dist holds what these sources give.
ui:
	@scripts/prepare.sh node
	@scripts/build-ui.sh

prepare:
	@scripts/prepare.sh redis postgresql prometheus exporter tmux python otlp-js otlp-rust

bench: build ## Compare with peers in one run, and print the ratios (PARTS="queries stored": those alone)
	@scripts/prepare.sh python bench
	cargo bench --locked --workspace --bench durable_ingest
	cargo build --release --locked --workspace --example load --example events --example redaction --example logs --example log_speed --example spans
	$(WATCHKEEPER_TEST_PYTHON) bench "$(CARGO_TARGET_DIR)/release/watchkeeper" "$(CARGO_TARGET_DIR)/release/examples" $(PARTS)

bench-sdk: ## What the Python package costs, beside OpenTelemetry and Sentry (PARTS="stages memory": those alone, and not written down)
	@scripts/prepare.sh sdk-bench
	cd sdk/python && $(WATCHKEEPER_SDK_BENCH_VENV)/bin/python bench $(PARTS)

soak: ## Lives on a simulated bad disk, kills of the binary, a day of log files, fuzzing (SEEDS=20000 KILLS=200 TAIL_LINES=5000000 FUZZ_SECONDS=60)
	@scripts/prepare.sh redis python fuzz
	@scripts/soak.sh

clean: ## Remove what was built
	cargo clean
	rm -rf "$(WATCHKEEPER_VENV)" "$(WATCHKEEPER_SDK_VENV)" "$(WATCHKEEPER_SDK_BENCH_VENV)" "$(WATCHKEEPER_OTLP_RUST)"
