"""One system for all disasters; each test leaves it running."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.stack.spawn import Rights, owner_of
from tests.backup.installation import Installation


@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    # PostgreSQL's own user reads its backups, so that the folders above them must be open to it.
    directory = Path(tempfile.mkdtemp(prefix="stockbridge-disasters-", dir="/var/tmp"))
    directory.chmod(0o755)
    installation = Installation(directory)
    wal = installation.backups / "wal"
    wal.mkdir()
    shutil.chown(wal, *owner_of(Rights.NEVER_ROOT))
    try:
        installation.stack.start(demo=True)
        yield installation
    finally:
        installation.stop()
        shutil.rmtree(directory)
