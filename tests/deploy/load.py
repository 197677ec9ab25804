"""Customers who order all the time, while something behind the reverse proxy is restarted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from devtools.driver.shop import Caller


@dataclass
class Load:
    """What became of their requests, each of which is sent once."""

    placed: int = 0
    failures: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def run(self, customer: Caller, url: str, product: str) -> None:
        """One customer, who places orders and looks at products until the load is ended."""
        with httpx.Client(base_url=url, timeout=20) as http:
            caller = Caller(http, "", customer.token, customer.refresh_token)
            while not self._ended.is_set():
                try:
                    caller.place((product, 1))
                    with self._counting:
                        self.placed += 1
                    answer = caller.call("GET", "products/")
                    assert answer.status_code == httpx.codes.OK, answer.text
                except (httpx.HTTPError, AssertionError) as error:
                    self.failures.append(repr(error))

    def end(self) -> None:
        """Each caller ends after its request."""
        self._ended.set()


@contextmanager
def under_load(customer: Caller, url: str, product: str, *, callers: int) -> Iterator[Load]:
    """So many callers, until the end of the block, however it ends."""
    load = Load()
    threads = [
        threading.Thread(target=load.run, args=(customer, url, product), daemon=True) for _ in range(callers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.end()
        for thread in threads:
            thread.join(30)
