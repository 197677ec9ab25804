"""Idempotency keys: https://docs.stripe.com/api/idempotent_requests.

The books keep the answer in the transaction of its effect.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from devtools.payment_sandbox.books import Books, Entries, Object
from devtools.payment_sandbox.errors import GatewayError

_DECLINED = 402

_LONGEST_KEY = 255


class Answer(NamedTuple):
    """Status and body, and whether an earlier request with the same key was answered so."""

    status: int
    body: str
    is_replayed: bool = False


class Keys:
    """Executes a request once for each key; a repetition gets the answer of the first."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def kept(self, key: str, path: str, body: str) -> Answer | None:
        """The answer to an earlier request with this key.

        Raises GatewayError if the earlier request was another one, and for a key that is too long.
        """
        if len(key) > _LONGEST_KEY:
            raise GatewayError(400, f"Idempotency keys have at most {_LONGEST_KEY} characters.")
        with self._books.reading() as entries:
            found = entries.answer_for(key) if key else None
        if found is None:
            return None
        request, status, answer = found
        if request != _fingerprint(path, body):
            raise GatewayError(
                400,
                "An idempotency key can only be used again with the parameters that it was first used with.",
                kind="idempotency_error",
            )
        return Answer(status, answer, is_replayed=True)

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """While a request with this key is under way, another one raises GatewayError."""
        with self._lock:
            if key and key in self._under_way:
                raise GatewayError(
                    409,
                    "There is currently another in-progress request using this idempotency key.",
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._under_way.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(key)

    def execute(self, key: str, path: str, body: str, effect: Callable[[Entries], Object]) -> Answer:
        """The answer; effect and answer are written in one transaction.

        Raises GatewayError for wrong parameters, with nothing written: the key stays free, as Stripe says.
        """
        with self._books.writing() as entries:
            try:
                status, answer = 200, json.dumps(effect(entries))
            except GatewayError as error:
                if error.status != _DECLINED:
                    raise
                status, answer = error.status, json.dumps(error.body)
            if key:
                entries.keep_answer(key, _fingerprint(path, body), status, answer)
        return Answer(status, answer)


def _fingerprint(path: str, body: str) -> str:
    return hashlib.sha256(f"{path}\n{body}".encode()).hexdigest()
