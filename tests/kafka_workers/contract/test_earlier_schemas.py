"""The schemas of a commit."""

import subprocess
from pathlib import Path

import pytest

from kafka_workers.contract.earlier_schemas import NoEarlierSchemas, read_schemas


def git(repository: Path, *arguments: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *author, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose first commit has a schema, and whose second one has none."""
    folder = tmp_path / "docs" / "schemas"
    folder.mkdir(parents=True)
    (folder / "sale.v1.json").write_text('{"type": "object"}')
    (folder / "README.md").write_text("Words.")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "rm", "-rq", "docs")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "second")
    return tmp_path


def test_the_schemas_of_a_commit_are_read_by_their_names(repository: Path) -> None:
    assert read_schemas("HEAD^", repository) == {"sale.v1": {"type": "object"}}


def test_a_folder_may_be_a_whole_repository(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "schemas"
    folder.mkdir(parents=True)
    (folder / "sale.v1.json").write_text('{"type": "object"}')
    for given in (tmp_path, folder):
        assert read_schemas(str(given), Path("/none")) == {"sale.v1": {"type": "object"}}


def test_a_commit_without_schemas_and_an_option_are_refused(repository: Path) -> None:
    for name in ("HEAD", "--output=stolen"):
        with pytest.raises(NoEarlierSchemas, match="no commit with docs/schemas"):
            read_schemas(name, repository)
    assert not (repository / "stolen").exists()
