#!/usr/bin/env bash
# Installs what is missing of: redis (redis-server), python (a virtual environment with the packages
# of the example pipeline and the tests). Does nothing where all is there.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=${WATCHKEEPER_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/venv}

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

prepare_python() {
  local wanted="$root/examples/docpipe/requirements.txt" tests="$root/scripts/requirements-test.txt"
  local stamp="$venv/.prepared" sum
  sum=$(cat "$wanted" "$tests" | sha256sum)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then return; fi
  command -v python3 >/dev/null || install_packages python3
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then install_packages python3-venv; fi
  say "preparing Python packages in $venv"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" -r "$tests"
  printf '%s\n' "$sum" >"$stamp"
}

for part in "$@"; do
  case $part in
    redis) prepare_redis ;;
    python) prepare_python ;;
    *) say "unknown part: $part"; exit 2 ;;
  esac
done
