#!/bin/bash
# etcd from its Go module: Debian's is too old for the API server's WatchList.
source "$(dirname "$0")/../tool.sh"
begin "etcd-$ETCD" etcd go 'the Kubernetes suites' 'half a minute on two cores'

{
  go mod init etcd
  go get "go.etcd.io/etcd/server/v3@v$ETCD"
  nice -n 10 go build -trimpath -ldflags '-s -w' -o etcd go.etcd.io/etcd/server/v3
} 2>&1 | { grep -v -e '^go: ' || true; }
place etcd
