#!/usr/bin/env bash
# Builds the web page into ui/dist/app, where the server's build script finds it. Does nothing when what
# is there was built from the same sources. `scripts/prepare.sh node` comes before.
set -euo pipefail
cd "$(dirname "$0")/../ui"
stamp=dist/.built

sum=$(find src public scripts index.html vite.config.ts package.json package-lock.json \
  -type f ! -name schema.d.ts -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ -e dist/app/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then exit 0; fi
rm -f "$stamp"
npm run --silent build
printf '%s\n' "$sum" >"$stamp"
