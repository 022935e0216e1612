#!/usr/bin/env bash
# Starts a redis-server on a free port, Watchkeeper and the example pipeline; Ctrl-C stops all of it.
# usage: scripts/run.sh BINARY      DATA=DIR keeps the data there instead of in a temporary folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
binary=$1
venv=${WATCHKEEPER_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/watchkeeper/venv}
python=$venv/bin/python

if [ -n "${DATA:-}" ]; then
  work=$(mkdir -p "$DATA" && cd "$DATA" && pwd)
else
  work=$(mktemp -d "${TMPDIR:-/tmp}/watchkeeper-run.XXXXXX")
fi
pids=()
stop() {
  trap - EXIT
  # Nothing may cut this short: not a second Ctrl-C, nor a reader of the output that is gone (`| tee`).
  trap '' INT TERM HUP PIPE
  set +e
  printf '\nstopping …\n' 2>/dev/null
  # In reverse: the pipeline first, then what watches it, then the queue.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -TERM "${pids[i]}" 2>/dev/null
    wait "${pids[i]}" 2>/dev/null
  done
  [ -n "${DATA:-}" ] || rm -rf -- "$work"
  printf 'stopped\n' 2>/dev/null
}
trap stop EXIT
trap 'exit 0' INT TERM HUP

free_port() {
  "$python" - "$@" <<'PY'
import socket, sys
for port in [int(p) for p in sys.argv[1:]] + [0]:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(s.getsockname()[1])
        break
PY
}

# Each child in a session of its own: Ctrl-C reaches this script alone, which stops them in order.
start() { # LOG COMMAND…
  local log=$1
  shift
  setsid "$@" >"$log" 2>&1 &
  pids+=($!)
}

wait_for() { # WHAT LOG COMMAND…
  local what=$1 log=$2
  shift 2
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return; fi
    if ! kill -0 "${pids[-1]}" 2>/dev/null; then break; fi
    sleep 0.1
  done
  printf '%s did not start:\n' "$what" >&2
  tail -n 20 "$log" >&2
  exit 1
}

redis_port=$(free_port)
port=$(free_port 7654)
gateway_port=$(free_port 8000)

start "$work/redis.log" redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work"
wait_for redis-server "$work/redis.log" redis-cli -p "$redis_port" ping

sed "s#redis://127.0.0.1:6379#redis://127.0.0.1:$redis_port#" "$root/examples/docpipe/watchkeeper.toml" >"$work/watchkeeper.toml"
start "$work/watchkeeper.log" "$binary" serve --config "$work/watchkeeper.toml" --data-dir "$work/data" --listen "127.0.0.1:$port"
wait_for Watchkeeper "$work/watchkeeper.log" "$python" -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/readyz')"

cd "$root/examples/docpipe"
start "$work/docpipe.log" "$python" -m docpipe --redis "redis://127.0.0.1:$redis_port/0" \
  --watchkeeper "http://127.0.0.1:$port" --gateway-port "$gateway_port" --log-dir "$work/logs" --count 0 ${DOCPIPE_OPTIONS:-}
wait_for "the example pipeline" "$work/docpipe.log" "$python" -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$gateway_port/healthz')"

cat <<TEXT

Watchkeeper watches the example pipeline:

  open       http://127.0.0.1:$port
$(grep -E 'user|password|login' "$work/watchkeeper.log" | sed 's/^ */  /')

Look at
  the queues, workers, jobs and alerts on that page
  $binary check --url http://127.0.0.1:$port --data-dir $work/data
  $binary query 'queue_depth' --url http://127.0.0.1:$port --data-dir $work/data
  http://127.0.0.1:$gateway_port/docs     the pipeline's gateway: upload a document of your own
  $work     logs and data of all parts

To see a backlog build up, and the alert about it, run it with slower models:
  DOCPIPE_OPTIONS='--llm-delay 2' make run

Ctrl-C stops all of it.
TEXT
wait "${pids[@]}"
