#!/usr/bin/env bash
# Runs fuzz targets: `fuzz.sh SECONDS [TARGET…]`, all of them by default. See fuzz/README.md.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper
export PATH="$cache/tools/bin:$PATH" CARGO_TARGET_DIR="${WATCHKEEPER_FUZZ_TARGET_DIR:-$cache/fuzz/target}"
# The one catalog that is tried at a time lies in memory, where there is some.
if [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi

say() { printf 'fuzz: %s\n' "$*" >&2; }

seconds=${1:?how many seconds for each target}
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then targets=(wal chunk catalog remote_write otlp logs events exposition promql redact search loki logql syslog); fi
cd "$root/fuzz"
say "building ${targets[*]}; the first time takes some minutes"
# Without a sanitizer it works on stable; ours is safe code, and a panic shows itself.
for target in "${targets[@]}"; do
  cargo fuzz build --sanitizer none "$target"
done
for target in "${targets[@]}"; do
  corpus="$cache/fuzz/corpus/$target"
  mkdir -p "$corpus"
  cases="$root/fuzz/cases/$target"
  say "$target for $seconds seconds, from $(find "$corpus" "$cases" -type f | wc -l) cases"
  cargo fuzz run --sanitizer none "$target" "$corpus" "$cases" -- \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=32768 -print_final_stats=0 -verbosity=1
done
say "found nothing"
