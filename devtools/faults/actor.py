"""Somebody who uses the system from a thread of their own, and does not give up when it is struck."""

import random
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

from devtools.faults.journal import Journal

PATIENCE_SECONDS = 90.0
_TIMEOUT_SECONDS = 10.0


class Unanswered(Exception):
    """A request that nobody answered for as long as anybody would ask."""


def insist(journal: Journal, request: Callable[[], httpx.Response]) -> httpx.Response:
    """Sends a request again and again until it is answered by anything but a failure of the server."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = request()
            if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer
            outcome = f"{answer.status_code} {answer.text[:300]}"
        except httpx.TransportError as error:
            outcome = repr(error)
        if time.monotonic() > end:
            raise Unanswered(f"not in {PATIENCE_SECONDS:.0f} s, at last: {outcome}")
        journal.count_repeat()
        time.sleep(0.1)


def new_client(web_url: str) -> httpx.Client:
    """Keep-alive connections of one actor's own."""
    return httpx.Client(base_url=web_url, timeout=_TIMEOUT_SECONDS)


class Actor(threading.Thread):
    """Does `act` until stopped, then `finish`; whatever it stumbles over is a complaint.

    All chance comes from the seed and the actor's name.
    """

    def __init__(self, name: str, journal: Journal, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.journal = journal
        self.rng = random.Random(f"{seed}/{name}")
        self.stopped = threading.Event()

    def run(self) -> None:
        """Act until stopped."""
        try:
            while not self.stopped.is_set():
                self.act()
            self.finish()
        except Exception as error:  # the journal must know, whatever it is
            self.journal.complaints.append(f"{self.name}: {error!r}")

    def act(self) -> None:
        """One thing this actor does."""
        raise NotImplementedError

    def finish(self) -> None:
        """What is left to do after the last act."""

    def rest(self, least: float, most: float) -> None:
        """A pause of random length, shorter when stopped."""
        self.stopped.wait(self.rng.uniform(least, most))

    def complain(self, answer: httpx.Response, of: str) -> None:
        """An answer that the contract does not know."""
        self.journal.complaints.append(
            f"{self.name}: {of} was answered {answer.status_code} {answer.text[:300]}"
        )
