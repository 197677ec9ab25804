"""Programs that are built with Go: once, and each failure is one sentence."""

from pathlib import Path

import pytest

from devtools import go_programs
from devtools.go_programs import NoGoProgram, go_install


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(go_programs, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script that is found as Go."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "go"


def write(go: Path, *commands: str) -> None:
    go.write_text("\n".join(["#!/bin/sh", *commands]))
    go.chmod(0o755)


def install(seconds: int = 30) -> Path:
    return go_install("tool", "example.com/tool", "v1.2.3", seconds=seconds)


def test_a_program_is_built_once(go: Path, cache: Path) -> None:
    write(go, 'mkdir -p "$GOBIN"', 'echo "$@" >> "$GOBIN/tool"')
    assert install() == install() == cache / "tool-v1.2.3" / "tool"
    assert install().read_text() == "install example.com/tool@v1.2.3\n"


def test_without_go_the_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoGoProgram, match=r"^Go is not installed$"):
        install()
    with pytest.raises(NoGoProgram, match=r"^neither of two is there$"):
        go_install("tool", "example.com/tool", "v1.2.3", seconds=1, without_go="neither of two is there")


def test_a_failure_is_told_by_the_last_line(go: Path) -> None:
    write(go, "echo first >&2", "echo no such host >&2", "exit 1")
    with pytest.raises(NoGoProgram, match=r"^tool v1\.2\.3 cannot be built: no such host$"):
        install()


def test_a_build_that_takes_too_long_is_told_by_its_time(go: Path) -> None:
    write(go, "echo downloading >&2", "exec sleep 20")
    with pytest.raises(NoGoProgram, match=r"^tool v1\.2\.3 cannot be built: .*timed out after 1 seconds$"):
        install(seconds=1)
