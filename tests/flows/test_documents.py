"""The commands of the documents that are marked `run` work on the running system, as they stand there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devtools.stack.stack import Stack
from tests.documents import ROOT, Block, blocks

pytestmark = [pytest.mark.documents, pytest.mark.timeout(300)]

RUN = [block for block in blocks() if block.mark == "run"]
DOCUMENTS = sorted({block.document for block in RUN})


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `manage.py` as a command, and with a curl that fails where the answer is an error."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    folder = tmp_path_factory.mktemp("tools")
    command = folder / "manage.py"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "manage.py"} "$@"\n')
    command.chmod(0o755)
    (folder / ".curlrc").write_text("fail-with-body\n")
    return folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_commands_work_one_after_the_other(document: Path, stack: Stack, tools: Path) -> None:
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            script([each for each in RUN if each.document == document], stack),
        ],
        cwd=ROOT,
        env=os.environ
        | stack.env
        | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "CURL_HOME": str(tools)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def script(of_document: list[Block], stack: Stack) -> str:
    """The blocks in one shell, each line shown before it runs, at the addresses of this system."""
    text = "\n".join(["set -v", *(each.text for each in of_document)])
    for name, port in (("web", 8000), ("sockets", 8001)):
        text = text.replace(f"localhost:{port}", urlsplit(stack.urls[name]).netloc)
    return text
