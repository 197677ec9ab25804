"""Forms as Stripe's libraries send them: `metadata[order_id]=7`, `expand[0]=latest_charge`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from devtools.payment_sandbox.errors import GatewayError

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MOST_NAMES, _LONGEST_NAME, _LONGEST_VALUE = 50, 40, 500
_KEY = re.compile(r"\[([^\[\]]*)\]")


def read_form(text: str) -> dict[str, Any]:
    """The parameters, nested by their brackets. Raises GatewayError for a name that has no such form."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found = _NAME.fullmatch(name)
        if found is None:
            raise GatewayError(400, f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
        _put(form, [found[1], *_KEY.findall(found[2])], value)
    return form


def _put(form: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for key in parents:
        form = form.setdefault(key, {})
        if not isinstance(form, dict):
            raise GatewayError(400, f"Invalid object: {key}", param=key)
    form[last or str(len(form))] = value


def values_of(listed: Any) -> list[str]:
    """The values of a list parameter, which forms number or leave without a number."""
    return list(listed.values()) if isinstance(listed, dict) else []


def require_known(form: dict[str, Any], known: frozenset[str]) -> None:
    """Raises GatewayError for a parameter that the route does not know."""
    for name in form:
        if name not in known:
            raise GatewayError(
                400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )


def required(form: dict[str, Any], name: str) -> str:
    """A parameter that the route needs. Raises GatewayError where it is missing, empty or an object."""
    value = form.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return value


def amount_of(form: dict[str, Any]) -> int:
    """The amount in minor units. Raises GatewayError where it is no positive integer."""
    text = required(form, "amount")
    if not text.isdecimal() or int(text) < 1 or len(text) > 8:
        raise GatewayError(
            400, f"Invalid positive integer: {text}", code="parameter_invalid_integer", param="amount"
        )
    return int(text)


def metadata_of(form: dict[str, Any]) -> dict[str, str]:
    """The metadata. Raises GatewayError where it is no flat object, or too large."""
    metadata = form.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise GatewayError(400, "Invalid object: metadata", param="metadata")
    if len(metadata) > _MOST_NAMES or any(
        len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE for name, value in metadata.items()
    ):
        raise GatewayError(
            400,
            f"Metadata can have up to {_MOST_NAMES} keys, with key names up to {_LONGEST_NAME} characters "
            f"and values up to {_LONGEST_VALUE} characters.",
            param="metadata",
        )
    return metadata
