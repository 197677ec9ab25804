"""Web processes that are watched, so that another takes the place of one that is stuck."""

import asyncio
import threading
from types import SimpleNamespace
from typing import cast

from web.server.exchanges import Exchanges
from web.server.watchdog import Watchdog
from web.server.work_threads import WorkThreads


def test_it_ends_with_the_event_loop() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    threads = cast("WorkThreads", SimpleNamespace(are_all_at_work=False, finished=0))
    failed = list[object]()
    before, threading.excepthook = threading.excepthook, lambda failure: failed.append(failure.exc_value)
    try:
        Watchdog(threads, Exchanges(None), loop, seconds=60).start()
        watching = [thread for thread in threading.enumerate() if thread.name == "watchdog"]
        for thread in watching:
            thread.join(10)
    finally:
        threading.excepthook = before
    assert failed == []
    assert not any(thread.is_alive() for thread in watching)
