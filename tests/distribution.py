"""The distribution of the tests to the processes of `-n`, each of which has servers of its own."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_ONE_SYSTEM = (
    "tests/kafka_workers/contract/",
    "tests/orders_app/sockets/",
    "tests/flows/",
    "tests/browser/",
    "tests/observability/",
    "tests/web/test_schema_fuzz.py",
)
"""Folders whose tests share a process that starts slowly, and slow files; the slowest are first."""


class ByFile(LoadScopeScheduling):
    """Gives all tests of a file, or of a folder whose tests share a system, to one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in _ONE_SYSTEM if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts the slowest tests first; otherwise one process would run them alone at the end."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    ranks = enumerate(_ONE_SYSTEM)
    return next((rank for rank, folder in ranks if item.nodeid.startswith(folder)), len(_ONE_SYSTEM))
