#!/bin/bash
# Definitions of the custom resources that the chart can make: the Prometheus Operator's, and OpenShift's.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/definitions-$PROMETHEUS_OPERATOR-$OPENSHIFT_API
[[ -d $target ]] && exit 0
command -v go >/dev/null || { echo 'No custom resource definitions, for Go is not installed; the chart suite will fail' >&2; exit 0; }

aside=$target.$$
mkdir -p "$aside/definitions"
trap 'rm -rf "$aside"' EXIT
export GOMODCACHE=$aside/modules GOFLAGS=-modcacherw
cd "$aside"
operator=github.com/prometheus-operator/prometheus-operator@v$PROMETHEUS_OPERATOR
openshift=github.com/openshift/api@v$OPENSHIFT_API
go mod download "$operator" "$openshift"
for kind in podmonitors servicemonitors prometheusrules; do
  cp "modules/$operator/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" definitions/
done
cp "modules/$openshift"/security/v1/zz_generated.crd-manifests/*securitycontextconstraints*.yaml definitions/
mv definitions "$target"
