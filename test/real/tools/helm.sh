#!/bin/bash
# helm 3 from its Go module. Stamped with versions: an unstamped helm believes in Kubernetes 1.20.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/helm-$HELM
[[ -x $target/helm ]] && exit 0
command -v go >/dev/null || { echo 'helm is not built, for Go is not installed; the helm suite will fail' >&2; exit 0; }

echo "Building helm $HELM (about two minutes on two cores)"
module=helm.sh/helm/v3
stamps="-s -w -X $module/internal/version.version=v$HELM"
for package in $module/pkg/chartutil $module/pkg/lint/rules; do
  stamps+=" -X $package.k8sVersionMajor=1 -X $package.k8sVersionMinor=$HELM_KUBERNETES_MINOR"
done
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
GOBIN=$aside CGO_ENABLED=0 go install -trimpath -ldflags "$stamps" "$module/cmd/helm@v$HELM" 2>&1 \
  | { grep -v '^go: downloading' || true; }
mkdir -p "$target"
mv "$aside/helm" "$target/helm"
