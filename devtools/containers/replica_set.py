"""Founds MongoDB's replica set and its user, for the compose file.

`python -m devtools.containers.replica_set FOLDER`, whose files are `key`, which the members share, and
`password`, that of the user. It waits for the members.
"""

import argparse
import time
from pathlib import Path

from pymongo.errors import PyMongoError

from devtools.stack.replica_set import REPLICA_SET, ensure_user, found_replica_set, member_client

_RETRY_SECONDS = 1.0


def main() -> None:
    """Tries until it has succeeded, and says once why it waits. Done again, it changes nothing."""
    parser = argparse.ArgumentParser(prog="python -m devtools.containers.replica_set", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--members", default="mongodb:27017", help="host:port of each, by commas (default: %(default)s)"
    )
    options = parser.parse_args()
    members = options.members.split(",")
    told = ""
    while True:
        try:
            _found(options.folder, members)
        except PyMongoError as error:
            reason = type(error).__name__
            if reason != told:
                print(f"waiting for the members of the replica set: {reason}: {str(error)[:200]}", flush=True)
                told = reason
            time.sleep(_RETRY_SECONDS)
        else:
            break


def _found(folder: Path, members: list[str]) -> None:
    key = (folder / "key").read_text().strip()
    with member_client(members[0], key) as first:
        found_replica_set(first, members)
    password = (folder / "password").read_text().strip()
    with member_client(members, key, directConnection=False, replicaSet=REPLICA_SET) as primary:
        ensure_user(primary, password, "stockbridge")


if __name__ == "__main__":
    main()
