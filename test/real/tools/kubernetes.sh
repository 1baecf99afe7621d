#!/bin/bash
# Kubernetes from its Go module: the API server and kubectl, then what a node needs besides.
#
# Its go.mod takes the libraries of its own repository from there; as a module of somebody else's it takes them
# from where they are published. Stamped with the version: helm refuses charts on a server that says v0.0.0.
source "$(dirname "$0")/../tool.sh"
missing=()
for program in kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet; do
  [[ -x $REAL_CACHE/kubernetes-$KUBERNETES/$program ]] || missing+=("$program")
done
begin "kubernetes-$KUBERNETES" "${missing[0]:-kubelet}" go 'the Kubernetes suites' 'seven minutes on two cores'

upstream=$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@v$KUBERNETES")
{
  echo 'module kubernetes'
  grep '^go ' "$upstream"
  sed -n '/^godebug (/,/^)/p; /^godebug [^(]/p' "$upstream"
  echo "require k8s.io/kubernetes v$KUBERNETES"
  echo 'replace ('
  sed -n -E 's#^[[:space:]]*(k8s\.io/[a-z0-9-]+) => \./staging/.*#\1#p' "$upstream" | while read -r library; do
    echo "  $library => $library v0.${KUBERNETES#1.}"
  done
  echo ')'
} > go.mod
{ echo 'package kubernetes'; for program in "${missing[@]}"; do echo "import _ \"k8s.io/kubernetes/cmd/$program\""; done; } > programs.go

stamps='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  minor=${KUBERNETES#1.}
  stamps+=" -X $package.gitVersion=v$KUBERNETES -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
  stamps+=" -X $package.gitTreeState=archive -X $package.buildDate=2026-01-01T00:00:00Z"
done
for program in "${missing[@]}"; do
  nice -n 10 go build -mod=mod -trimpath -ldflags "$stamps" -o "$program" "k8s.io/kubernetes/cmd/$program" 2>&1 \
    | { grep -v -e '^go: ' || true; }
  place "$program"
done
