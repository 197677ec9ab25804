"""What child processes may do."""

import os
import subprocess

import pytest

from devtools.stack.spawn import Rights, spawn

NO_CAPABILITY = "0" * 16
AS_ROOT = os.geteuid() == 0


def status_of_child(rights: Rights) -> dict[str, str]:
    process = spawn(["cat", "/proc/self/status"], output=subprocess.PIPE, rights=rights)
    output, _ = process.communicate(timeout=10)
    return dict(line.split(":\t", 1) for line in output.decode().splitlines())


@pytest.mark.parametrize("rights", [Rights.NO_CAPABILITIES, Rights.NEVER_ROOT])
def test_a_child_has_no_capability_and_gains_none(rights: Rights) -> None:
    status = status_of_child(rights)
    names = ["CapInh", "CapPrm", "CapEff", "CapAmb"] + (["CapBnd"] if AS_ROOT else [])
    assert {name: status[name] for name in names} == dict.fromkeys(names, NO_CAPABILITY)
    assert status["NoNewPrivs"] == "1"


@pytest.mark.skipif(not AS_ROOT, reason="only root changes to another user")
def test_a_child_that_must_not_be_root_has_no_group_of_root() -> None:
    status = status_of_child(Rights.NEVER_ROOT)
    assert "0" not in status["Uid"].split() + status["Gid"].split() + status["Groups"].split()


def test_what_a_child_writes_is_for_its_user_alone() -> None:
    process = spawn(["sh", "-c", "umask"], output=subprocess.PIPE)
    output, _ = process.communicate(timeout=10)
    assert output == b"0077\n"
