"""What production must not start with, as Django system checks: one sentence each; with DEBUG none."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

SHORTEST_SECRET = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@register(Tags.security)
def unsafe_settings(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[Error]:
    """Every setting that is not fit for production."""
    return [] if settings.DEBUG else [*_secrets(), *_hosts(), *_plain_http()]


def refuse_unsafe_settings() -> None:
    """For processes that run no checks by themselves. Raises ImproperlyConfigured with all the sentences."""
    if errors := unsafe_settings():
        raise ImproperlyConfigured(" ".join(error.msg for error in errors))


def _secrets() -> list[Error]:
    secrets = {
        "SECRET_KEY": [settings.SECRET_KEY],
        "SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS,
        "MONITOR_TOKEN": [settings.MONITOR_TOKEN] if settings.MONITOR_TOKEN else [],
        "MONITOR_TOKEN_FALLBACKS": settings.MONITOR_TOKEN_FALLBACKS,
    }
    return [
        Error(f"{name} must have at least {SHORTEST_SECRET} random characters.", id="stockbridge.E001")
        for name, values in secrets.items()
        if any(len(value) < SHORTEST_SECRET for value in values)
    ]


def _hosts() -> list[Error]:
    wild = [host for host in settings.ALLOWED_HOSTS if host == "*"]
    sentence = "ALLOWED_HOSTS must name the hosts of this installation; it must not be *."
    return [Error(sentence, id="stockbridge.E002") for _ in wild]


def _plain_http() -> list[Error]:
    if settings.PLAIN_HTTP:
        return _beyond_this_machine()
    addresses = (
        ("FRONTEND_URL", settings.FRONTEND_URL, "an", "https"),
        ("PUBLIC_URL", settings.PUBLIC_URL, "an", "https"),
        ("PUBLIC_WS_URL", settings.PUBLIC_WS_URL, "a", "wss"),
    )
    errors = [
        Error(f"{name} must be {article} {scheme} address.", id="stockbridge.E003")
        for name, value, article, scheme in addresses
        if value and urlsplit(value).scheme != scheme
    ]
    if settings.DEMO:
        errors.append(Error("DEMO is for PLAIN_HTTP alone: its pages show passwords.", id="stockbridge.E005"))
    return errors


def _beyond_this_machine() -> list[Error]:
    others = [host for host in settings.ALLOWED_HOSTS if host not in LOOPBACK]
    sentence = (
        f"PLAIN_HTTP is for this machine alone, but ALLOWED_HOSTS has {', '.join(others)}: "
        f"passwords and cookies would travel in the open."
    )
    return [Error(sentence, id="stockbridge.E004")] if others else []
