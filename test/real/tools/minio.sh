#!/bin/bash
# MinIO from its Go module: an S3 store with signatures, temporary credentials (STS) and server-side encryption.
# The module that asks for it stands aside, for MinIO's own go.mod cannot be installed from (`go install` refuses it).
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/minio-$MINIO
[[ -x $target/minio ]] && exit 0
command -v go >/dev/null || { echo 'MinIO is not built, for Go is not installed; the S3 suite will fail' >&2; exit 0; }

echo "Building MinIO $MINIO (about four minutes on two cores)"
module=github.com/minio/minio
aside=$target.$$
trap 'chmod -R u+w "$aside" && rm -rf "$aside"' EXIT
mkdir -p "$aside/source"
cd "$aside/source"
# Caches of its own, which go with it: 1.5 GB.
export GOMODCACHE=$aside/modules GOCACHE=$aside/cache GOFLAGS=-buildvcs=false CGO_ENABLED=0
go mod init server >/dev/null 2>&1
go get -tool "$module@$MINIO" 2>&1 | { grep -v -e '^go: downloading' -e '^go: added' || true; }
nice -n 10 go build -trimpath -ldflags '-s -w' -o "$aside/minio" "$module"
mkdir -p "$target"
mv "$aside/minio" "$target/minio"
