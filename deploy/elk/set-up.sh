#!/usr/bin/env bash
# Prepares Elasticsearch (or OpenSearch) for the log lines, and Kibana where KIBANA_URL is set. May run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

elasticsearch=${ELASTICSEARCH_URL:-http://localhost:9200}

put() {
  curl --fail-with-body --silent --show-error --retry 30 --retry-connrefused --retry-delay 1 \
    -X PUT -H 'Content-Type: application/json' --data-binary "@$2" "$elasticsearch/$1" && echo
}

put _ingest/pipeline/stockbridge-logs ingest-pipeline.json
put _index_template/stockbridge-logs index-template.json
curl --fail --silent "$elasticsearch/_data_stream/logs-stockbridge-default" >/dev/null ||
  curl --fail-with-body --silent --show-error -X PUT "$elasticsearch/_data_stream/logs-stockbridge-default"
put _data_stream/logs-stockbridge-default/_lifecycle lifecycle.json ||
  echo "this server keeps no lifecycle of data streams: lines are kept until someone deletes them" >&2

if [ -n "${KIBANA_URL:-}" ]; then
  curl --fail-with-body --silent --show-error --retry 30 --retry-connrefused --retry-delay 1 \
    -X POST -H 'kbn-xsrf: true' -F file=@saved-searches.ndjson "$KIBANA_URL/api/saved_objects/_import?overwrite=true"
  echo
fi
