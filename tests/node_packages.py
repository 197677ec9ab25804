"""Programs in Node, with their packages in pinned versions: for tests that are marked `node`."""

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[1] / ".cache"
INSTALL_SECONDS = 240


def installed(source: Path) -> Path:
    """A folder with the files of `source` and the packages of its package-lock.json.

    Skips the test where Node is not installed, or the packages are not to be had.
    """
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not installed")
    pinned = sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / f"node-{source.name}-{pinned}"
    folder.mkdir(parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.is_file():
            shutil.copy(each, folder)
    if not (folder / "node_modules").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode:
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            pytest.skip(f"the packages cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return folder
