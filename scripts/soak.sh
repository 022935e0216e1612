#!/usr/bin/env bash
# What takes too long for `make test`: more lives of the store on a simulated bad disk, more kills of the
# real binary, a day of log files that are rotated, and a minute of made-up bytes for each decoder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
seeds=${SEEDS:-20000} kills=${KILLS:-200} tail_lines=${TAIL_LINES:-5000000} fuzz_seconds=${FUZZ_SECONDS:-60}

say() { printf 'soak: %s\n' "$*" >&2; }

cd "$root"
say "1 of 4: $seeds lives of the store on a simulated disk that loses, tears and fails (SEEDS=…)"
WATCHKEEPER_SEEDS=$seeds cargo test --locked --workspace --test behaviour -- --nocapture simulated
say "2 of 4: the binary is killed $kills times while files are written and merged (KILLS=…)"
WATCHKEEPER_KILLS=$kills cargo test --locked --workspace --test scenarios -- --nocapture many_kills
say "3 of 4: $tail_lines lines of log files are rotated while the binary is killed (TAIL_LINES=…)"
WATCHKEEPER_TAIL_LINES=$tail_lines cargo test --locked --workspace --test scenarios -- --nocapture rotated_under_load
say "4 of 4: $fuzz_seconds seconds of made-up bytes for each decoder (FUZZ_SECONDS=…)"
scripts/fuzz.sh "$fuzz_seconds"
say "nothing was found"
