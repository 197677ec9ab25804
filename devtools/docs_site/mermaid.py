"""Mermaid, which draws the diagrams of the documents in the browser: one file of its package on npm."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from devtools.stack.spawn import PROJECT

VERSION = "12.3.0"
_SHA256 = "be0684e8d20bfc874df12c0f04927a5c482f57f2200eec54cca52a4583fd4040"
_MEMBER = "package/dist/mermaid.min.js"
FOLDER = PROJECT / ".cache" / f"mermaid-{VERSION}"
_SECONDS = 180


class NoMermaid(Exception):
    """It is not there and cannot be had; the text says why."""


def mermaid_script() -> Path:
    """The script, downloaded first if need be. Raises NoMermaid."""
    script = FOLDER / "mermaid.min.js"
    if not script.exists():
        with tempfile.TemporaryDirectory() as folder:
            package = _download(Path(folder))
            _require_digest(package)
            FOLDER.mkdir(parents=True, exist_ok=True)
            with tarfile.open(package) as archive:
                member = archive.extractfile(_MEMBER)
                assert member
                script.write_bytes(member.read())
    return script


def _download(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NoMermaid("npm is not installed")
    command = [npm, "pack", f"mermaid@{VERSION}", "--silent"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise NoMermaid(f"mermaid {VERSION} cannot be downloaded: {error}") from error
    return folder / f"mermaid-{VERSION}.tgz"


def _require_digest(package: Path) -> None:
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    if found != _SHA256:
        raise NoMermaid(f"mermaid {VERSION} has the digest {found}, and not the one that is known")
