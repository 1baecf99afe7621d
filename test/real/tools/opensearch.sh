#!/bin/bash
# OpenSearch from its Maven artifacts, with a main of our own that starts one node. Without plugins: ISM is one.
source "$(dirname "$0")/../tool.sh"
begin "opensearch-$OPENSEARCH" Server.class mvn 'the OpenSearch suites' 'half a minute'

# It wants Java 21, which need not be the machine's first.
for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /x/x/x)")")")" /usr/lib/jvm/*; do
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null || true)
  if [[ -x $home/bin/javac ]] && (( ${version:-0} >= 21 )); then jdk=$home; break; fi
done
if [[ -z ${jdk:-} ]]; then
  echo 'OpenSearch is not made, for there is no JDK from 21 on; its suites will fail' >&2
  exit 0
fi

JAVA_HOME=$jdk mvn -q -B -Dstyle.color=never -f "$here/opensearch/pom.xml" -Drunner.version="$OPENSEARCH" -Dmaven.repo.local="$aside/repository" \
  dependency:copy-dependencies -DoutputDirectory="$aside/lib"
"$jdk/bin/javac" -cp "$aside/lib/*" -d "$aside" "$here/opensearch/Server.java"
ln -s "$jdk" "$aside/jdk"
rm -rf "$aside/repository" "$target"
mv "$aside" "$target"
