#!/bin/bash
# The published model of CloudWatch Logs' API, out of botocore's package, for there is no server of it to be had.
source "$(dirname "$0")/../tool.sh"
begin "botocore-$BOTOCORE" logs.json pip3 'the cloudwatch_logs suite' 'ten seconds'

pip3 download --quiet --disable-pip-version-check --no-deps --dest . "botocore==$BOTOCORE"
python3 - botocore-*.whl > logs.json <<'PYTHON'
import gzip, sys, zipfile
model = zipfile.ZipFile(sys.argv[1]).read('botocore/data/logs/2014-03-28/service-2.json.gz')
sys.stdout.buffer.write(gzip.decompress(model))
PYTHON
place logs.json
