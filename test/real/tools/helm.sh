#!/bin/bash
# helm 3 from its Go module. Stamped with versions: an unstamped helm believes in Kubernetes 1.20.
set -euo pipefail

version=3.22.0
kubernetes_minor=35
target=$REAL_CACHE/helm-$version
[[ -x $target/helm ]] && exit 0
command -v go >/dev/null || { echo 'helm is not built: Go is not on this machine; the helm suite will fail' >&2; exit 0; }

echo "Building helm $version (about two minutes on two cores)"
module=helm.sh/helm/v3
stamps="-s -w -X $module/internal/version.version=v$version"
for package in $module/pkg/chartutil $module/pkg/lint/rules; do
  stamps+=" -X $package.k8sVersionMajor=1 -X $package.k8sVersionMinor=$kubernetes_minor"
done
aside=$(mktemp -d "$target.XXXXXX")
GOBIN=$aside CGO_ENABLED=0 go install -trimpath -ldflags "$stamps" "$module/cmd/helm@v$version" 2>&1 \
  | { grep -v '^go: downloading' || true; }
chmod 755 "$aside"
mv "$aside" "$target"
