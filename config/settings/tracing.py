"""The settings of tracing: the standard variables of OpenTelemetry that this system reads itself."""

import math

from django.core.exceptions import ImproperlyConfigured

from config.settings.env import http_addresses, text

SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
TRACE_ID = "{trace_id}"
PROTOCOL = "http/protobuf"


def collector(name: str) -> str:
    """The address to which spans are exported; "" for none. Raises ImproperlyConfigured."""
    found = http_addresses(name)
    if "," in found:
        raise ImproperlyConfigured(f"{name} must be one address such as http://collector:4318.")
    return found


def trace_page(name: str) -> str:
    """The address of a trace's page, with a place for the id; "" for none. Raises ImproperlyConfigured."""
    found = text(name).strip()
    if found and not (found.startswith(("http://", "https://")) and TRACE_ID in found):
        raise ImproperlyConfigured(
            f"{name} must be an address such as https://jaeger.example.com/trace/{TRACE_ID}, not {found!r}."
        )
    return found


def share(name: str, default: float) -> float:
    """A part of one, from 0 to 1. Raises ImproperlyConfigured on anything else."""
    value = text(name, str(default)).strip()
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1:
        raise ImproperlyConfigured(f"{name} must be a number from 0 to 1 such as {default}, not {value!r}.")
    return found


def require_known_protocol(name: str) -> None:
    """Spans are exported by one protocol. Raises ImproperlyConfigured where another one is asked for."""
    value = text(name, PROTOCOL).strip()
    if value != PROTOCOL:
        raise ImproperlyConfigured(
            f"{name} must be {PROTOCOL}, not {value!r}: a collector takes it on port 4318."
        )
