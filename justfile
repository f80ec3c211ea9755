# Groma's commands. CI runs `just lint` and `just test`, nothing else.

set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments

# Any Python from 3.9 runs `tests/dev`; moto's own environment is made by `just tools`.
python := env("PYTHON", "python3")

# List the recipes.
default:
    @just --list --unsorted

# Survey a simulated AWS organization, start to end; leaves NATS and Neo4j up.
[no-exit-message]
demo:
    @{{ python }} tests/dev/demo.py

# Survey what your AWS configuration reaches: just sync --accounts profiles.
[no-exit-message]
sync *ARGS: up
    @eval "$({{ python }} tests/dev/stack.py env)" && exec cargo run --quiet --locked --bin groma -- sync "$@"

# Start NATS and Neo4j and wait until they answer.
[no-exit-message]
up:
    @{{ python }} tests/dev/stack.py up

# Stop NATS and Neo4j; streams and graph stay.
[no-exit-message]
down:
    @{{ python }} tests/dev/stack.py down

# Show whether NATS and Neo4j are up (exit status 3 when not).
[no-exit-message]
status:
    @{{ python }} tests/dev/stack.py status

# Build Prometheus's promtool, with which the tests try the alerts (minutes).
[no-exit-message]
promtool:
    @{{ python }} tests/dev/promtool.py

# Put nats-server, Neo4j, Java and moto into .tools; nothing to do the second time.
[no-exit-message]
tools:
    @{{ python }} tests/dev/provision.py

# Build the groma program.
build:
    cargo build --locked --bin groma

# Build the Python package with the program, which requires nats-server, into target/wheels.
[no-exit-message]
wheel *ARGS:
    @{{ python }} tests/wheel/wheel.py "$@"

# Check formatting, lints and types and, where cargo-deny is installed, licences and advisories.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    @{{ python }} tests/dev/lint.py
    @if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check; \
     else echo "cargo-deny is not installed, so licences and advisories were not checked"; fi

# Run every test, those with real servers included, several steps at a time: just test --only parity.
[no-exit-message]
test *ARGS: tools
    @{{ python }} tests/suite/suite.py "$@"

# Compare the graph with Cartography's over one organization, node by node: just parity --size small.
[no-exit-message]
parity *ARGS:
    @{{ python }} tests/parity/parity.py "$@"

# Time Cartography and Groma over one organization, AWS from memory: just bench --size demo.
[no-exit-message]
bench *ARGS:
    @{{ python }} tests/bench/bench.py "$@"

# Measure how surveys scale with collectors, assets, accounts and regions: just scale --assets 1000000.
[no-exit-message]
scale *ARGS:
    @{{ python }} tests/bench/scale.py "$@"

# Measure each role's memory, as accounts grow and as there are more of them: just memory --parts closing.
[no-exit-message]
memory *ARGS:
    @{{ python }} tests/bench/memory.py "$@"

# Kill, freeze, cut off and confuse everything while it surveys, and compare the graph: just chaos --seeds 200.
[no-exit-message]
chaos *ARGS:
    @{{ python }} tests/chaos/chaos.py "$@"

# Install the chart into a real kube-apiserver, built once from its source (Go): no node, no Docker.
[no-exit-message]
kubernetes:
    @{{ python }} tests/kubernetes/api_server.py

# Feed every parser ten million inputs, or fewer, or those of one target: just fuzz 100000 admitted.
[no-exit-message]
fuzz INPUTS="10000000" *TARGETS:
    @GROMA_FUZZ_INPUTS="$1" cargo test --quiet --workspace --locked --test fuzz -- --nocapture "${@:2}"

# Format the code.
fmt:
    cargo fmt --all
    @{{ python }} tests/dev/lint.py --fix
