"""What the routes do: reads from the books, and the two requests that change them."""

import json
import time
from typing import Any

from devtools.payment_sandbox.books import Books, Entries, Object
from devtools.payment_sandbox.errors import GatewayError
from devtools.payment_sandbox.form import read_form, require_known, values_of
from devtools.payment_sandbox.idempotency import Answer, Keys
from devtools.payment_sandbox.payments import charge_of, create_payment, find_payment
from devtools.payment_sandbox.refunds import create_refund, find_refund
from devtools.payment_sandbox.tokens import Token, token_named
from devtools.payment_sandbox.webhooks import Schedule

_PAYMENTS, _REFUNDS = "/v1/payment_intents", "/v1/refunds"
_CREATE = {_PAYMENTS: create_payment, _REFUNDS: create_refund}
_PAGE, _LARGEST_PAGE = 10, 100
_OF_ONE = frozenset(("expand",))
_OF_PAGES = _OF_ONE | {"created", "limit", "payment_intent", "starting_after"}


class AnswerLost(Exception):
    """The request has had its effect; the connection ends without an answer."""


class Gateway:
    """Answers requests, as status and JSON."""

    def __init__(self, books: Books, schedule: Schedule) -> None:
        self._books, self._schedule = books, schedule
        self._keys = Keys(books)

    def health(self) -> Object:
        """That it works, and how many webhooks are still to be sent."""
        with self._books.reading() as entries:
            return {"status": "ok", "webhooks": entries.count_deliveries()}

    def get(self, path: str, query: str) -> Answer:
        """One payment or refund, or a page of them. Raises GatewayError."""
        form = read_form(query)
        with self._books.reading() as entries:
            found = _read(entries, path, form)
        return Answer(200, json.dumps(found))

    def post(self, path: str, body: str, key: str) -> Answer:
        """A new payment or refund. Raises GatewayError, and AnswerLost where its token says so."""
        create = _CREATE.get(path)
        if create is None:
            raise _unknown_path("POST", path)
        if kept := self._keys.kept(key, path, body):
            return kept
        form = read_form(body)
        token = _token_of(form) if path == _PAYMENTS else Token()
        with self._keys.alone(key):
            self._hold_up(token, key)
            # The same request may have ended between the look above and here.
            answer = self._keys.kept(key, path, body) or self._keys.execute(
                key,
                path,
                body,
                lambda entries: _expanded(entries, create(entries, self._schedule, form), form),
            )
        if token.loses_answer:
            raise AnswerLost
        return answer

    def _hold_up(self, token: Token, key: str) -> None:
        if token.unavailable_times:
            with self._books.writing() as entries:
                times = entries.count_unavailable(key)
            if times <= token.unavailable_times:
                raise GatewayError(503, "The sandbox is unavailable, as the token says.", kind="api_error")
        if token.delay_seconds:
            time.sleep(token.delay_seconds)


def _read(entries: Entries, path: str, form: dict[str, Any]) -> Object:
    collection, _, identifier = path.removeprefix("/v1/").partition("/")
    require_known(form, _OF_ONE if identifier else _OF_PAGES)
    match collection, identifier:
        case "payment_intents", "":
            return _page(entries, "payment_intent", _PAYMENTS, form, parent=None)
        case "payment_intents", _:
            return _expanded(entries, find_payment(entries, identifier), form)
        case "refunds", "":
            return _page(entries, "refund", _REFUNDS, form, parent=form.get("payment_intent"))
        case "refunds", _:
            return find_refund(entries, identifier)
    raise _unknown_path("GET", path)


def _page(entries: Entries, kind: str, url: str, form: dict[str, Any], *, parent: str | None) -> Object:
    after = form.get("starting_after")
    if after is not None and entries.find(kind, after) is None:
        raise GatewayError(400, f"No such {kind}: '{after}'", code="resource_missing", param="starting_after")
    limit = _limit(form)
    found = entries.page(kind, after=after, since=_since(form), parent=parent, limit=limit + 1)
    return {"object": "list", "url": url, "data": found[:limit], "has_more": len(found) > limit}


def _expanded(entries: Entries, found: Object, form: dict[str, Any]) -> Object:
    if found.get("latest_charge") and "latest_charge" in values_of(form.get("expand")):
        return found | {"latest_charge": charge_of(entries, found)}
    return found


def _unknown_path(method: str, path: str) -> GatewayError:
    return GatewayError(404, f"Unrecognized request URL ({method}: {path}).")


def _token_of(form: dict[str, Any]) -> Token:
    method = form.get("payment_method")
    return token_named(method) if isinstance(method, str) and method else Token()


def _since(form: dict[str, Any]) -> int:
    """The Unix time of `created[gte]`; the sandbox knows no other bound."""
    created = form.get("created", {"gte": "0"})
    if not (isinstance(created, dict) and created.keys() == {"gte"} and str(created["gte"]).isdecimal()):
        raise GatewayError(400, "The sandbox knows created[gte] alone.", param="created")
    return int(created["gte"])


def _limit(form: dict[str, Any]) -> int:
    text = form.get("limit", str(_PAGE))
    if not (isinstance(text, str) and text.isdecimal() and 1 <= int(text) <= _LARGEST_PAGE):
        raise GatewayError(400, f"Invalid limit: must be 1 to {_LARGEST_PAGE}", param="limit")
    return int(text)
