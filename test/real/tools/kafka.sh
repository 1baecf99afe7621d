#!/bin/bash
# Kafka: its broker's jars from Maven.
source "$(dirname "$0")/../tool.sh"
begin "kafka-$KAFKA" lib mvn 'the kafka suite' 'half a minute'

cat > pom.xml <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$KAFKA_LOG4J</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$KAFKA_LOG4J</version></dependency>
</dependencies></project>
POM
mvn -q -B -f pom.xml dependency:copy-dependencies -DoutputDirectory=lib
place lib
