#!/bin/bash
# An OpenTelemetry Collector with the otlp receiver, the file exporter and bearer tokens; its parts are in otelcol/.
source "$(dirname "$0")/../tool.sh"
begin "otelcol-$OTELCOL" otelcol go 'the otlp suite' 'two minutes on two cores'

cp "$here"/otelcol/{go.mod,main.go} .
go build -mod=mod -trimpath -ldflags '-s -w' -o otelcol . 2>&1 | { grep -v '^go: downloading' || true; }
place otelcol
