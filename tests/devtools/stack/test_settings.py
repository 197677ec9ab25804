"""The settings of a stack: what the caller sets reaches every process and the file for other shells."""

import shlex
from pathlib import Path

import pytest

from devtools.stack.errors import StackError
from devtools.stack.ports import Ports
from devtools.stack.settings import documented_settings, make_settings

SET_BY_THE_STACK = {"PROMETHEUS_MULTIPROC_DIR"}


def test_every_documented_setting_of_the_caller_is_kept_as_it_is(tmp_path: Path) -> None:
    names = set(documented_settings()) - SET_BY_THE_STACK
    assert {"HOLD_MINUTES", "SOCKET_REPLAY_EVENTS", "BREAKER_RUN", "RETRY_DELAYS_SECONDS"} <= names
    caller = {name: f" ${name} 'x' # \"{number}\" %" for number, name in enumerate(sorted(names))}
    settings = make_settings(tmp_path, ports=Ports(), servers={}, caller={**caller, "UNKNOWN": "left out"})
    assert {name: settings.values[name] for name in names} == caller
    assert "UNKNOWN" not in settings.values
    settings.write()
    lines = shlex.split((tmp_path / "env").read_text(), comments=True)
    assert dict(line.split("=", 1) for line in lines) == settings.values
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_a_port_with_blanks_is_understood_and_foreign_digits_are_not() -> None:
    assert Ports.from_env({"WEB_PORT": " 8080 ", "WS_PORT": " "}) == Ports(web=8080)
    with pytest.raises(StackError, match="WEB_PORT must be a port number"):
        Ports.from_env({"WEB_PORT": "\uff18\uff10"})


def test_a_setting_of_blanks_is_not_set(tmp_path: Path) -> None:
    settings = make_settings(
        tmp_path, ports=Ports(), servers={}, caller={"LOG_FORMAT": "  ", "SECRET_KEY": ""}
    )
    assert settings.values["LOG_FORMAT"] == "console"
    assert settings.values["SECRET_KEY"] != ""
