"""How the tests are shared out to the processes of `-n`, each of which has servers of its own."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_ONE_SYSTEM = (
    "tests/kafka_workers/contract/",
    "tests/orders_app/sockets/",
    "tests/flows/",
    "tests/web/test_schema_fuzz.py",
)
"""Folders whose tests share what is slow to start, and files that take long; the longest come first."""


class ByFile(LoadScopeScheduling):
    """Gives a file, or a folder whose tests share a system, to one process whole."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in _ONE_SYSTEM if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long work comes first, or one process would still be at it when the others have done."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    turns = enumerate(_ONE_SYSTEM)
    return next((turn for turn, folder in turns if item.nodeid.startswith(folder)), len(_ONE_SYSTEM))
