"""Prometheus and Alertmanager for tests: with the rules and routes of `deploy/`, on free ports."""
