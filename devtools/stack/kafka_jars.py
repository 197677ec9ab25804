"""The JAR files of Apache Kafka: downloaded once into the virtual environment, for ./start and the tests."""

import fcntl
import os
import sys
from pathlib import Path

from devtools.stack.errors import StackError
from devtools.stack.java import DownloadFailed, class_path

DEFAULT_VERSION = "4.3.0"
VERSION = os.environ.get("KAFKA_VERSION") or DEFAULT_VERSION
"""The version of the embedded Kafka; others are tried by the environment (docs/versions.md)."""
# With the trailing "!" each coordinate keeps the versions of its own dependencies. Without it the older
# kafka-clients of log4j is chosen, and the broker ends with NoSuchMethodError.
_ENDPOINT = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-tools:{VERSION}"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
)


def kafka_class_path() -> str:
    """The Java class path of the broker and its tools; the first call downloads them (55 MB) and prints that.

    Raises StackError when they cannot be downloaded.
    """
    home = Path(sys.prefix) / "kafka"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _installed(home) or _install(home)


def _record(home: Path) -> Path:
    return home / f"class-path-{VERSION}"


def _installed(home: Path) -> str | None:
    record = _record(home)
    if not record.exists():
        return None
    recorded = record.read_text()
    return recorded if all(Path(jar).exists() for jar in recorded.split(":")) else None


def _install(home: Path) -> str:
    print(f"downloading Kafka {VERSION} (55 MB) …", flush=True)
    # The virtual environment is for all users, unlike what the stack writes.
    umask = os.umask(0o022)
    try:
        found = class_path(_ENDPOINT, home)
    except DownloadFailed as error:
        raise StackError(f"Kafka {VERSION} could not be downloaded, is the network up? ({error})") from error
    finally:
        os.umask(umask)
    _record(home).write_text(found)
    return found
