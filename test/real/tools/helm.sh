#!/bin/bash
# helm 3 from its Go module. Stamped with versions: an unstamped helm believes in Kubernetes 1.20.
source "$(dirname "$0")/../tool.sh"
begin "helm-$HELM" helm go 'the helm suite' 'two minutes on two cores'

module=helm.sh/helm/v3
stamps="-s -w -X $module/internal/version.version=v$HELM"
for package in $module/pkg/chartutil $module/pkg/lint/rules; do
  stamps+=" -X $package.k8sVersionMajor=1 -X $package.k8sVersionMinor=$HELM_KUBERNETES_MINOR"
done
GOBIN=$aside go install -trimpath -ldflags "$stamps" "$module/cmd/helm@v$HELM" 2>&1 \
  | { grep -v '^go: downloading' || true; }
place helm
