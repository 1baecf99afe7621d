#!/bin/bash
# Definitions of the custom resources that the chart can make: the Prometheus Operator's, and OpenShift's.
source "$(dirname "$0")/../tool.sh"
begin "definitions-$PROMETHEUS_OPERATOR-$OPENSHIFT_API" . go 'the chart suite' 'ten seconds'

mkdir definitions
operator=github.com/prometheus-operator/prometheus-operator@v$PROMETHEUS_OPERATOR
openshift=github.com/openshift/api@v$OPENSHIFT_API
go mod download "$operator" "$openshift"
for kind in podmonitors servicemonitors prometheusrules; do
  cp "modules/$operator/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" definitions/
done
cp "modules/$openshift"/security/v1/zz_generated.crd-manifests/*securitycontextconstraints*.yaml definitions/
mv definitions "$target"
