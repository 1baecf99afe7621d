#!/bin/bash
# The published model of CloudWatch Logs' API, out of botocore's package, for there is no server of it to be had.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/botocore-$BOTOCORE
[[ -e $target/logs.json ]] && exit 0
python3 -m pip --version >/dev/null 2>&1 \
  || { echo 'The API model is not fetched: that needs python3 with pip; the cloudwatch_logs suite will fail' >&2; exit 0; }

echo "Fetching the API models of botocore $BOTOCORE"
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$aside" "botocore==$BOTOCORE"
mkdir -p "$target"
python3 - "$aside"/botocore-*.whl > "$aside/logs.json" <<'PYTHON'
import gzip, sys, zipfile
model = zipfile.ZipFile(sys.argv[1]).read('botocore/data/logs/2014-03-28/service-2.json.gz')
sys.stdout.buffer.write(gzip.decompress(model))
PYTHON
mv "$aside/logs.json" "$target/logs.json"
