#!/bin/bash
# The chart with its defaults as plain manifests, for those without Helm: `make manifests` writes base/manifests.yaml.
set -euo pipefail
cd "$(dirname "$0")"

name=policy-log-agent
cat <<NAMESPACE
# Written by deploy/render.sh from the chart.
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels:
    # Its pods mount the node's log folder.
    pod-security.kubernetes.io/enforce: privileged
NAMESPACE
"${HELM:-helm}" template "$name" ../helm/policy-log-agent --namespace "$name" --no-hooks \
  | sed -E '/^# Source: /d; /^ +helm\.sh\/chart: /d; /^ +app\.kubernetes\.io\/managed-by: /d'
