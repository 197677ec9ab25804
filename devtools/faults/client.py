"""A client of the system in a thread of its own, which repeats requests until they are answered."""

import random
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

from devtools.faults.observations import Observations

ANSWER_SECONDS = 90.0
_TIMEOUT_SECONDS = 10.0


class NoAnswer(Exception):
    """A request was repeated for ANSWER_SECONDS and got no answer."""


def request_until_answered(
    observations: Observations, request: Callable[[], httpx.Response]
) -> httpx.Response:
    """Repeats a request until the answer is no server error.

    Raises NoAnswer after ANSWER_SECONDS.
    """
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            answer = request()
            if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer
            outcome = f"{answer.status_code} {answer.text[:300]}"
        except httpx.TransportError as error:
            outcome = repr(error)
        if time.monotonic() > end:
            raise NoAnswer(f"no answer in {ANSWER_SECONDS:.0f} s; the last attempt: {outcome}")
        observations.count_repeat()
        time.sleep(0.1)


def new_http_client(web_url: str) -> httpx.Client:
    """Keep-alive connections for one client."""
    return httpx.Client(base_url=web_url, timeout=_TIMEOUT_SECONDS)


class Client(threading.Thread):
    """Repeats `act` until stopped, then calls `finish`; notes an exception as unexpected.

    Its random choices follow from the seed and its name. Its pauses are `slowness` times as long as usual.
    """

    slowness = 1.0

    def __init__(self, name: str, observations: Observations, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.observations = observations
        self.rng = random.Random(f"{seed}/{name}")
        self.stopped = threading.Event()

    def run(self) -> None:
        """Repeat `act` until stopped."""
        try:
            while not self.stopped.is_set():
                self.act()
            self.finish()
        except Exception as error:  # any exception breaks a law
            self.observations.unexpected.append(f"{self.name}: {error!r}")

    def act(self) -> None:
        """One action of this client."""
        raise NotImplementedError

    def finish(self) -> None:
        """What the client does after its last action."""

    def pause(self, least: float, most: float) -> None:
        """A pause of random length, shorter when stopped."""
        self.stopped.wait(self.slowness * self.rng.uniform(least, most))

    def note_unexpected(self, answer: httpx.Response, of: str) -> None:
        """Notes an answer that the contract does not allow."""
        self.observations.unexpected.append(
            f"{self.name}: {of} was answered {answer.status_code} {answer.text[:300]}"
        )
