#!/usr/bin/env bash
# Starts Kafka alone, on KAFKA_PORT (9092): with docker compose if Docker runs, else the embedded broker in the foreground.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
source devtools/stack/set-up.sh

if [ -f docker-compose.yml ] && docker info >/dev/null 2>&1; then
    docker compose up --detach --wait kafka
    echo "Kafka is healthy on 127.0.0.1:${KAFKA_PORT:-9092}; stop it with: docker compose stop kafka"
    exit
fi
set_up requirements.txt
exec .venv/bin/python -m devtools.stack kafka
