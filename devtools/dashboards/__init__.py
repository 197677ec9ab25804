"""The dashboards for Grafana: described here, and written to `deploy/grafana/dashboards/`."""
