"""The compose file, as Docker reads it: with the values of variables in place."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
CLUSTER = ROOT / "deploy" / "cluster.env"

# https://docs.docker.com/reference/compose-file/interpolation/: ${A}, ${A-default}, ${A:-default}, and $$.
_INNERMOST = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z0-9_]+)(?:(?P<kind>:?-)(?P<default>[^${}]*))?\}")


def read_compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with the values of these variables, and with the defaults of all others."""
    found: dict[str, Any] = _filled(yaml.safe_load(PATH.read_text()), variables or {})
    return found


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    match value:
        case str():
            return interpolated(value, variables)
        case list():
            return [_filled(each, variables) for each in value]
        case dict():
            return {key: _filled(each, variables) for key, each in value.items()}
        case _:
            return value


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The text with values in the places of variables."""
    while (replaced := _INNERMOST.sub(lambda match: _value(match, variables), text)) != text:
        text = replaced
    return text.replace("$$", "$")


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match["name"])
    if value is None or (match["kind"] == ":-" and not value):
        return match["default"] or ""
    return value


def variables_of(path: Path) -> dict[str, str]:
    """The variables that a file of them sets, comments apart."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def names_used() -> set[str]:
    """The names of all variables in the compose file."""
    return set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", PATH.read_text()))
