#!/bin/bash
# MinIO from its Go module: an S3 store with signatures, temporary credentials (STS) and server-side encryption.
# The module that asks for it stands aside, for MinIO's own go.mod cannot be installed from (`go install` refuses it).
source "$(dirname "$0")/../tool.sh"
begin "minio-$MINIO" minio go 'the S3 suite' 'four minutes on two cores'

module=github.com/minio/minio
go mod init server >/dev/null 2>&1
go get -tool "$module@$MINIO" 2>&1 | { grep -v -e '^go: downloading' -e '^go: added' || true; }
nice -n 10 go build -trimpath -ldflags '-s -w' -o minio "$module"
place minio
