#!/bin/bash
# Loki from its Go module, with the dependencies that its own go.mod names.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/loki-$LOKI
[[ -x $target/loki ]] && exit 0
command -v go >/dev/null || { echo 'Loki is not built, for Go is not installed; the loki suite will fail' >&2; exit 0; }

echo "Building Loki $LOKI (about eight minutes on two cores)"
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
mkdir -p "$aside"
cd "$aside"
# The module is a program's, not a library's: 4 GB of caches that nothing else would use.
export GOMODCACHE=$aside/modules GOCACHE=$aside/cache GOFLAGS='-buildvcs=false -modcacherw -mod=mod' CGO_ENABLED=0
module=github.com/grafana/loki/v3
sources=$(go mod download -json "$module@v$LOKI" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
cp "$sources/go.mod" "$sources/go.sum" .
chmod u+w go.mod go.sum
go mod edit -module loki -dropreplace github.com/grafana/loki/pkg/push -require "$module@v$LOKI"
printf '//go:build tools\n\npackage tools\n\nimport _ "%s/cmd/loki"\n' "$module" > tools.go
go build -trimpath -ldflags '-s -w' -o loki "$module/cmd/loki" 2>&1 | { grep -v '^go: downloading' || true; }
mkdir -p "$target"
mv loki "$target/loki"
