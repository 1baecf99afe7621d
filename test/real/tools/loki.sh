#!/bin/bash
# Loki from its Go module, with the dependencies that its own go.mod names.
source "$(dirname "$0")/../tool.sh"
begin "loki-$LOKI" loki go 'the loki suite' 'eight minutes on two cores'

module=github.com/grafana/loki/v3
sources=$(go mod download -json "$module@v$LOKI" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
cp "$sources/go.mod" "$sources/go.sum" .
chmod u+w go.mod go.sum
go mod edit -module loki -dropreplace github.com/grafana/loki/pkg/push -require "$module@v$LOKI"
printf '//go:build tools\n\npackage tools\n\nimport _ "%s/cmd/loki"\n' "$module" > tools.go
go build -mod=mod -trimpath -ldflags '-s -w' -o loki "$module/cmd/loki" 2>&1 | { grep -v '^go: downloading' || true; }
place loki
