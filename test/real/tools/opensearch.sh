#!/bin/bash
# OpenSearch from its Maven artifacts, with a main of our own that starts one node. Without plugins: ISM is one.
set -euo pipefail

sources=$(cd "$(dirname "$0")/opensearch" && pwd)
source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/opensearch-$OPENSEARCH
[[ -e $target/Server.class ]] && exit 0
# It wants Java 21, which need not be the machine's first.
for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /x/x/x)")")")" /usr/lib/jvm/*; do
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null || true)
  if [[ -x $home/bin/javac ]] && (( ${version:-0} >= 21 )); then jdk=$home; break; fi
done
if [[ -z ${jdk:-} ]] || ! command -v mvn >/dev/null; then
  echo 'OpenSearch is not built: that needs a JDK from 21 on and Maven; its suites will fail' >&2
  exit 0
fi

echo "Fetching OpenSearch $OPENSEARCH (about half a minute)"
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
mkdir -p "$aside"
JAVA_HOME=$jdk mvn -q -B -Dstyle.color=never -f "$sources/pom.xml" -Drunner.version="$OPENSEARCH" -Dmaven.repo.local="$aside/repository" \
  dependency:copy-dependencies -DoutputDirectory="$aside/lib"
"$jdk/bin/javac" -cp "$aside/lib/*" -d "$aside" "$sources/Server.java"
ln -s "$jdk" "$aside/jdk"
rm -rf "$aside/repository" "$target"
mv "$aside" "$target"
