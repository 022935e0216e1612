#!/usr/bin/env bash
# Installs what is missing of: redis (redis-server), postgresql (its server, for tests that start one of
# their own), prometheus (that tests compare with, and promtool), exporter (the node exporter, which tests
# scrape), tmux (a terminal for tests), python (a virtual environment with the packages of the example pipeline
# and the tests), node (the packages of the web page), otlp-js and otlp-rust (OpenTelemetry's SDKs for
# JavaScript and Rust, for tests), sdk (a virtual environment with what the tests of the Python package need),
# sdk-bench (one with what its benchmark compares it with), chromium (for tests of the page), bench (the peers of
# `make bench`), fuzz (cargo-fuzz, and the compiler of C++ that its library needs). Does nothing where all is there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=${WATCHKEEPER_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/venv}
sdk_bench_venv=${WATCHKEEPER_SDK_BENCH_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/sdk-bench-venv}
sdk_venv=${WATCHKEEPER_SDK_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/sdk-venv}

say() { printf 'prepare: %s\n' "$*" >&2; }

install_packages() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  say "installing $* with apt-get"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

prepare_redis() {
  command -v redis-server >/dev/null && return
  command -v apt-get >/dev/null || { say "redis-server is missing: install it and try again"; exit 1; }
  install_packages redis-server
}

prepare_tmux() {
  command -v tmux >/dev/null && return
  command -v apt-get >/dev/null || { say "tmux is missing: install it and try again"; exit 1; }
  install_packages tmux
}

prepare_postgresql() {
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return
  command -v apt-get >/dev/null || { say "postgresql is missing: install it and try again"; exit 1; }
  # Debian starts a server right away unless it is told not to before; the tests start their own.
  install_packages postgresql-common
  local settings=/etc/postgresql-common/createcluster.d as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" mkdir -p "$settings"
  printf 'create_main_cluster = false\n' | "${as_root[@]}" tee "$settings/watchkeeper-tests.conf" >/dev/null
  install_packages postgresql
}

prepare_prometheus() {
  command -v prometheus >/dev/null && command -v promtool >/dev/null && return
  command -v apt-get >/dev/null || { say "prometheus is missing: install it and try again"; exit 1; }
  # Debian starts a server right away; the tests start their own.
  install_packages prometheus
  if command -v systemctl >/dev/null; then systemctl disable --now prometheus >/dev/null 2>&1 || true; fi
}

prepare_exporter() {
  command -v prometheus-node-exporter >/dev/null && return
  command -v apt-get >/dev/null || { say "prometheus-node-exporter is missing: install it and try again"; exit 1; }
  install_packages prometheus-node-exporter
}

# A virtual environment, unless it was made of the same files. The first is where it lies, the others say what it has;
# a path in them is one from the folder of the first.
prepare_venv() {
  local venv=$1 wanted=("${@:2}") sum
  sum=$(cat "${wanted[@]}" | sha256sum)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.prepared" 2>/dev/null)" = "$sum" ]; then return; fi
  command -v python3 >/dev/null || install_packages python3
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then install_packages python3-venv; fi
  say "preparing Python packages in $venv"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  (cd "$(dirname "${wanted[0]}")" &&
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${wanted[@]/#/--requirement=}")
  printf '%s\n' "$sum" >"$venv/.prepared"
}

prepare_python() {
  prepare_venv "$venv" "$root/examples/docpipe/requirements.txt" "$root/scripts/requirements-test.txt"
  # A copy of the package and no link to it: the environment may outlive this checkout. It is made anew where the
  # sources are others, and with what is there, so that nothing is asked of the network.
  local package=$root/sdk/python sum
  sum=$(cd "$package" && find pyproject.toml src -type f -not -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat "$venv/.package" 2>/dev/null)" = "$sum" ] && return
  say "installing $package in $venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation "$package"
  printf '%s\n' "$sum" >"$venv/.package"
}

prepare_sdk() {
  prepare_venv "$sdk_venv" "$root/sdk/python/requirements-test.txt"
  # It asks for an older client of Redis than Celery does, and runs with the newer.
  "$sdk_venv/bin/python" -c 'import arq' 2>/dev/null ||
    "$sdk_venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "arq>=0.26"
}

prepare_sdk_bench() {
  prepare_venv "$sdk_bench_venv" "$root/sdk/python/bench/requirements.txt"
}

# The packages of a folder lie in the cache, by what is locked, and the checkout has a link to them: a fresh
# clone installs nothing that an older one has installed.
link_packages() {
  local of=$1 what=$2
  command -v npm >/dev/null || { say "npm is missing: install Node.js 20.6 or newer and try again"; exit 1; }
  local link="$of/node_modules" sum folder
  sum=$({ cat "$of/package-lock.json"; node --version; } | sha256sum | cut -c1-16)
  folder=${WATCHKEEPER_NODE:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/node}/$sum
  if [ ! -e "$folder/.prepared" ]; then
    say "installing the packages of $what in $folder"
    mkdir -p "$folder"
    cp "$of/package.json" "$of/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
    touch "$folder/.prepared"
  fi
  [ "$(readlink "$link" 2>/dev/null)" = "$folder/node_modules" ] && return
  rm -rf "$link"
  ln -s "$folder/node_modules" "$link"
}

prepare_node() { link_packages "$root/ui" "the web page"; }

prepare_otlp_js() { link_packages "$root/tests/otlp-js" "OpenTelemetry's SDK for JavaScript"; }

# Does what cargo does where nothing has changed: nothing.
prepare_otlp_rust() {
  CARGO_TARGET_DIR=${WATCHKEEPER_OTLP_RUST:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/otlp-rust} \
    cargo build --quiet --locked --manifest-path "$root/tests/otlp-rust/Cargo.toml"
}

prepare_chromium() {
  [ -x "${WATCHKEEPER_CHROMIUM:-/usr/bin/chromium}" ] && return
  command -v apt-get >/dev/null || { say "chromium is missing: install it and try again"; exit 1; }
  install_packages chromium
}

# The peers that `make bench` compares with.
prepare_bench() {
  local missing=()
  command -v prometheus-node-exporter >/dev/null || missing+=(prometheus-node-exporter)
  command -v prometheus-process-exporter >/dev/null || missing+=(prometheus-process-exporter)
  command -v victoria-metrics >/dev/null || missing+=(victoria-metrics)
  prepare_postgresql
  prepare_prometheus
  if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$root/bench/requirements.txt"
}

prepare_fuzz() {
  local tools=${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/tools
  if ! command -v c++ >/dev/null; then
    command -v apt-get >/dev/null || { say "a compiler of C++ is missing: install it and try again"; exit 1; }
    install_packages g++
  fi
  [ -x "$tools/bin/cargo-fuzz" ] && return
  say "installing cargo-fuzz in $tools"
  CARGO_TARGET_DIR="$tools/target" cargo install --quiet --locked --root "$tools" cargo-fuzz
  rm -rf "$tools/target"
}

for part in "$@"; do
  case $part in
    redis) prepare_redis ;;
    tmux) prepare_tmux ;;
    exporter) prepare_exporter ;;
    postgresql) prepare_postgresql ;;
    prometheus) prepare_prometheus ;;
    python) prepare_python ;;
    sdk) prepare_sdk ;;
    sdk-bench) prepare_sdk_bench ;;
    node) prepare_node ;;
    otlp-js) prepare_otlp_js ;;
    otlp-rust) prepare_otlp_rust ;;
    chromium) prepare_chromium ;;
    bench) prepare_bench ;;
    fuzz) prepare_fuzz ;;
    *) say "unknown part: $part"; exit 2 ;;
  esac
done
