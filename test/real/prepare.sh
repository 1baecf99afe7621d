#!/bin/bash
# Builds what the real-server suites need, or the tools that are named, once, into a folder outside the work tree, keyed by version.
# A build that breaks off leaves nothing behind that looks finished: each tool writes aside and renames.
set -euo pipefail
cd "$(dirname "$0")"

export REAL_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/policy-log-agent/real
mkdir -p "$REAL_CACHE"
for tool in "${@:-*}"; do
  for script in tools/$tool.sh; do
    "$script"
  done
done
