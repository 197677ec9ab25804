#!/usr/bin/env bash
exec /opt/java/bin/java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData $KAFKA_LOG4J_OPTS \
    -cp '/opt/kafka/libs/*' kafka.Kafka "$@"
