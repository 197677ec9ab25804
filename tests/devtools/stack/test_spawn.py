"""Processes that must not run as root."""

import os
import subprocess
from pathlib import Path

import pytest

from devtools.stack.spawn import spawn


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_a_process_that_must_not_be_root_still_runs_programs_below_a_closed_folder(tmp_path: Path) -> None:
    program = tmp_path / "closed" / "program"
    program.parent.mkdir(mode=0o700)
    program.write_text('#!/bin/sh\ntest -x "$0" && id -u\n')
    program.chmod(0o755)
    process = spawn([program], output=subprocess.PIPE, never_as_root=True)
    output, _ = process.communicate(timeout=10)
    assert int(output) != 0
