#!/bin/bash
# Kafka: its broker's jars from Maven.
set -euo pipefail

source "$(dirname "$0")/../versions.env"
target=$REAL_CACHE/kafka-$KAFKA
[[ -d $target ]] && exit 0
command -v mvn >/dev/null || { echo 'Kafka is not fetched, for Maven is not installed; the kafka suite will fail' >&2; exit 0; }

echo "Fetching Kafka $KAFKA"
aside=$target.$$
trap 'rm -rf "$aside"' EXIT
mkdir -p "$aside"
cat > "$aside/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$KAFKA_LOG4J</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$KAFKA_LOG4J</version></dependency>
</dependencies></project>
POM
mvn -q -B -f "$aside/pom.xml" dependency:copy-dependencies -DoutputDirectory="$aside/lib"
mv "$aside" "$target"
