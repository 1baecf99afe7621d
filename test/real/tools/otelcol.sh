#!/bin/bash
# An OpenTelemetry Collector with the otlp receiver, the file exporter and bearer tokens; its parts are in otelcol/.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
parts=$(cd "$(dirname "$0")/otelcol" && pwd)
target=$REAL_CACHE/otelcol-$OTELCOL
[[ -x $target/otelcol ]] && exit 0
command -v go >/dev/null || { echo 'The OpenTelemetry Collector is not built, for Go is not installed; the otlp suite will fail' >&2; exit 0; }

echo "Building an OpenTelemetry Collector $OTELCOL (about two minutes on two cores)"
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
mkdir -p "$aside"
cp "$parts/go.mod" "$parts/main.go" "$aside"
cd "$aside"
export GOMODCACHE=$aside/modules GOCACHE=$aside/cache GOFLAGS='-buildvcs=false -modcacherw -mod=mod' CGO_ENABLED=0
go build -trimpath -ldflags '-s -w' -o otelcol . 2>&1 | { grep -v '^go: downloading' || true; }
mkdir -p "$target"
mv otelcol "$target/otelcol"
