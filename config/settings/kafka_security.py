"""Which of the settings for Kafka's security go together: checked at the start, before any client is made."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def require_sound_kafka_security(*, protocol: str, sasl: Mapping[str, str], files: Mapping[str, str]) -> None:
    """Takes the values of KAFKA_SECURITY_PROTOCOL, of the KAFKA_SASL_ and of the KAFKA_SSL_ settings by name.

    Raises ImproperlyConfigured with one sentence for a setting that is missing, means nothing with this
    protocol, or names no readable file.
    """
    _require_all_or_none(sasl, wanted=protocol.startswith("SASL_"), protocol=protocol)
    if not protocol.endswith("SSL"):
        _forbid(files, protocol)
    if bool(files["KAFKA_SSL_CERTIFICATE"]) != bool(files["KAFKA_SSL_KEY"]):
        raise ImproperlyConfigured("KAFKA_SSL_CERTIFICATE and KAFKA_SSL_KEY must be set both or neither.")
    for name, path in files.items():
        if path and not (Path(path).is_file() and os.access(path, os.R_OK)):
            raise ImproperlyConfigured(f"{name} must be the path of a readable file, and {path} is none.")


def _require_all_or_none(sasl: Mapping[str, str], *, wanted: bool, protocol: str) -> None:
    if not wanted:
        _forbid(sasl, protocol)
        return
    for name, value in sasl.items():
        if not value:
            raise ImproperlyConfigured(f"{name} must be set where KAFKA_SECURITY_PROTOCOL is {protocol}.")


def _forbid(values: Mapping[str, str], protocol: str) -> None:
    for name, value in values.items():
        if value:
            raise ImproperlyConfigured(f"{name} means nothing while KAFKA_SECURITY_PROTOCOL is {protocol}.")
