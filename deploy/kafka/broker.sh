#!/usr/bin/env bash
# Starts a broker of the compose file, which is also a controller: formats its storage the first time.
# NODE, HOST_NAME, VOTERS, REPLICATION, MIN_IN_SYNC and CLUSTER_ID come from the compose file; HOST_PORT, where it is set, is
# the port of this machine by which programs outside of the containers reach the broker.
set -euo pipefail

settings=/tmp/server.properties
listeners=BROKER://:9092,CONTROLLER://:9093
advertised=BROKER://$HOST_NAME:9092
if [ -n "${HOST_PORT:-}" ]; then
    listeners+=,HOST://:19092
    advertised+=,HOST://127.0.0.1:$HOST_PORT
fi
cat >"$settings" <<EOF
process.roles=broker,controller
node.id=$NODE
controller.quorum.voters=$VOTERS
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listeners=$listeners
advertised.listeners=$advertised
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,HOST:PLAINTEXT
log.dirs=/var/lib/kafka/data
# Topics are made by create_topics, with the partitions and copies that they need.
auto.create.topics.enable=false
default.replication.factor=$REPLICATION
min.insync.replicas=$MIN_IN_SYNC
offsets.topic.replication.factor=$REPLICATION
transaction.state.log.replication.factor=$REPLICATION
transaction.state.log.min.isr=$MIN_IN_SYNC
# A transaction that its program leaves open holds the messages behind it back: so long at most.
transaction.max.timeout.ms=60000
group.initial.rebalance.delay.ms=0
# How soon another member of a group takes over what a killed one has left.
group.consumer.heartbeat.interval.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.session.timeout.ms=6000
group.consumer.min.session.timeout.ms=6000
EOF
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$settings"
exec /opt/kafka/bin/kafka-server-start.sh "$settings"
