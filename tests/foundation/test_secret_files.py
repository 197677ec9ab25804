"""A setting that is a secret may stand in a file."""

import os
from pathlib import Path

import pytest

from foundation.secret_files import SECRETS, SecretFileError, read_secret_files
from tests.config.test_settings import LONG, refusal_of, values_of


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without secrets; it is put back after the test."""
    for name in SECRETS:
        for variable in (name, f"{name}_FILE"):
            monkeypatch.setenv(variable, "")  # so that it is put back, whatever sets it later
            monkeypatch.delenv(variable)
    return monkeypatch


def test_a_process_reads_its_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{LONG} '$HOME' \n")
    found = values_of("SECRET_KEY", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "key"))
    assert found == [f"{LONG} '$HOME' "]


def test_every_secret_may_stand_in_a_file_and_the_path_is_not_inherited(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in SECRETS:
        (tmp_path / name).write_text(f"the {name}\r\n")
        environment.setenv(f"{name}_FILE", str(tmp_path / name))
    read_secret_files()
    assert {name: os.environ[name] for name in SECRETS} == {name: f"the {name}" for name in SECRETS}
    assert [name for name in SECRETS if f"{name}_FILE" in os.environ] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "MONITOR_TOKEN_FILE must hold one line"),
        (b"one\ntwo\n", "MONITOR_TOKEN_FILE must hold one line"),
        (b"\xff\n", "MONITOR_TOKEN_FILE cannot be read"),
        (None, "MONITOR_TOKEN_FILE cannot be read"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(
    content: bytes | None, sentence: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    environment.setenv("MONITOR_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(SecretFileError, match=sentence):
        read_secret_files()


def test_a_secret_that_is_given_twice_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(LONG)
    refusal = refusal_of(SECRET_KEY=LONG, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert "SECRET_KEY and SECRET_KEY_FILE are both set: set one of them." in refusal


def test_the_settings_page_names_every_secret() -> None:
    page = Path("docs/settings.md").read_text()
    assert [name for name in SECRETS if f"`{name}_FILE`" not in page] == []
