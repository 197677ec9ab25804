"""The job of the compose file that makes the secrets."""

import subprocess
import sys
from pathlib import Path

import pytest

from devtools.containers.make_secrets import FOLDERS, make_secrets

MEMBERS = "mongodb:27017,mongodb-2:27017"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with those of the readers, as the volumes are mounted."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_addresses_of_the_stores_hold_the_passwords_that_the_stores_get(folder: Path) -> None:
    make_secrets(folder, mongodb_members=MEMBERS)
    made = {name: text.strip() for name, text in contents(folder).items()}
    assert (
        made["app/database_url"]
        == f"postgres://postgres:{made['postgres/password']}@postgres:5432/stockbridge"
    )
    assert made["app/mongodb_uri"] == (
        f"mongodb://stockbridge:{made['mongodb/password']}@{MEMBERS}/stockbridge?replicaSet=rs0&authSource=admin"
    )
    assert len(set(made.values())) == len(made)
    assert min(len(value) for value in made.values()) > 32


def test_what_is_there_is_kept(folder: Path) -> None:
    (folder / "app" / "stripe_secret_key").write_text("sk_live_of_the_operator\n")
    make_secrets(folder, mongodb_members=MEMBERS)
    before = contents(folder)
    make_secrets(folder, mongodb_members=MEMBERS)
    assert contents(folder) == before
    assert before["app/stripe_secret_key"] == "sk_live_of_the_operator\n"


def test_other_users_of_the_volumes_can_read_and_not_write(folder: Path) -> None:
    make_secrets(folder, mongodb_members=MEMBERS)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devtools.containers.make_secrets", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The secrets cannot be kept: ")
    assert "Traceback" not in done.stderr
