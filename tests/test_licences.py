"""Every dependency has a known licence, which allows running a service."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_FOR_A_SERVICE = re.compile(
    r"affero|agpl|sspl|server side public|commercial|proprietary|non-commercial", re.I
)


def licences() -> dict[str, str]:
    """The licence of each package in requirements.txt, by `pip-licenses`."""
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "requirements.txt").read_text(), re.M)
    command = [
        str(Path(sys.executable).with_name("pip-licenses")),
        "--from=mixed",
        "--with-system",
        "--format=json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = {canonical(package["Name"]): package["License"] for package in json.loads(done.stdout)}
    return {name: found.get(canonical(name), "UNKNOWN") for name in pinned}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_licence_is_known_and_allows_running_a_service() -> None:
    found = licences()
    assert len(found) > 30
    assert [name for name, licence in found.items() if licence in {"UNKNOWN", ""}] == []
    assert [name for name, licence in found.items() if NOT_FOR_A_SERVICE.search(licence)] == []
