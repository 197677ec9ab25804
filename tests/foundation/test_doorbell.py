"""The bell wakes whoever listens, in another process too, and nobody depends on it."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.doorbell import Doorbell
from tests.foundation.listening import SHORT, is_woken


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Not pytest's own: the path of a socket has a hundred characters at most.
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)


@pytest.fixture
def bell(directory: Path) -> Doorbell:
    return Doorbell("tested")


def in_another_process(directory: Path, statement: str) -> "subprocess.Popen[bytes]":
    program = f"import tempfile; tempfile.tempdir = {str(directory)!r}\n"
    program += f"from foundation.doorbell import Doorbell\n{statement}"
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


def test_a_ring_wakes_all_listeners_and_is_heard_once(bell: Doorbell) -> None:
    with bell.listen() as one, bell.listen() as other:
        bell.ring()
        bell.ring()
        assert is_woken(one)
        assert is_woken(other)
        assert not is_woken(one, SHORT)
        bell.ring()
        assert is_woken(one)


def test_more_rings_than_anybody_takes_neither_wait_nor_fail(bell: Doorbell) -> None:
    with bell.listen() as listener:
        for _ in range(5_000):
            bell.ring()
        assert is_woken(listener)
        assert not is_woken(listener, SHORT)


def test_another_process_rings_while_somebody_waits(directory: Path, bell: Doorbell) -> None:
    with bell.listen() as listener:
        with in_another_process(directory, "Doorbell('tested').ring()") as process:
            assert is_woken(listener)
        assert process.returncode == 0


def test_another_bell_is_not_heard(bell: Doorbell) -> None:
    with bell.listen() as listener:
        Doorbell("other").ring()
        assert not is_woken(listener, SHORT)


def test_what_a_killed_listener_leaves_is_cleared_away(directory: Path, bell: Doorbell) -> None:
    statement = "with Doorbell('tested').listen() as listener: print(flush=True); listener.wait(60)"
    with in_another_process(directory, statement) as process, bell.listen() as alive:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert len(list(directory.glob("*/tested/*"))) == 2
        bell.ring()
        assert len(list(directory.glob("*/tested/*"))) == 1
        assert is_woken(alive)


def test_without_a_place_for_it_the_bell_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    bell = Doorbell("tested")
    with bell.listen() as listener:
        bell.ring()
        assert not is_woken(listener, SHORT)
    assert "no doorbell" in caplog.text
