"""The inbox over HTTP, for this machine alone: pages for people, JSON for tests."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from devtools.mail_catcher.letter import read_letter
from devtools.mail_catcher.mails import Mails, Summary
from devtools.mail_catcher.pages import PAGE_MAILS, error_page, framed_html, inbox_page, mail_page
from devtools.mail_catcher.shapes import as_json

_IDLE_SECONDS = 60
_MOST_LISTED = 1_000
_OWN_NAMES = frozenset({"127.0.0.1", "localhost"})
_HTML, _TEXT, _JSON = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"
_FILES = {"/style.css": "text/css; charset=utf-8", "/inbox.js": "text/javascript; charset=utf-8"}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; frame-ancestors 'self'"
)


class InboxServer(ThreadingHTTPServer):
    """Shows the mails."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], mails: Mails) -> None:
        super().__init__(address, _InboxHandler)
        self.mails = mails

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that go away are no error."""


class _InboxHandler(BaseHTTPRequestHandler):
    server: InboxServer
    protocol_version = "HTTP/1.1"
    server_version = "Stockbridge-mail-catcher"
    sys_version = ""
    timeout: ClassVar[int] = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self._is_refused():
            return
        match url.path.strip("/").split("/"):
            case [""]:
                self._send_inbox(query)
            case ["health"]:
                self._send_json({"status": "ok"})
            case ["api", "messages"]:
                self._send_list(query)
            case ["api", "messages", number] if found := self._found(number):
                self._send_json(as_json(*found))
            case ["messages", number, *part] if found := self._found(number):
                self._send_mail(found, "/".join(part))
            case _ if url.path in _FILES:
                self._send((Path(__file__).parent / url.path[1:]).read_bytes(), _FILES[url.path])
            case _:
                self._send_error(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def do_POST(self) -> None:
        self.close_connection = True  # a body stays unread
        if self._is_refused():
            return
        if self.path != "/delete-all":
            self._send_error(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        self.server.mails.delete_all()
        self._send(b"", _TEXT, HTTPStatus.SEE_OTHER, {"Location": "/"})

    def do_DELETE(self) -> None:
        self.close_connection = True
        if self._is_refused():
            return
        if urlsplit(self.path).path.rstrip("/") != "/api/messages":
            self._send_error(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        self.server.mails.delete_all()
        self._send(b"", _TEXT, HTTPStatus.NO_CONTENT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in http.server
        """No line for each request."""

    def _is_refused(self) -> bool:
        """Whether the request comes by another name of this machine, or from a page of another site.

        Mails have links that open accounts: no page that a browser shows may read them.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin", f"http://{host}")
        if host.rpartition(":")[0] in _OWN_NAMES and origin == f"http://{host}":
            return False
        self.close_connection = True
        self._send_error(HTTPStatus.FORBIDDEN, "The inbox is shown at 127.0.0.1 and localhost alone.")
        return True

    def _found(self, number: str) -> tuple[Summary, bytes] | None:
        return self.server.mails.find(int(number)) if number.isdecimal() and len(number) < 19 else None

    def _send_inbox(self, query: Mapping[str, str]) -> None:
        search = query.get("search", "")
        mails = self.server.mails.page(search=search, before=_number(query, "before"), limit=PAGE_MAILS)
        page = inbox_page(mails, count=self.server.mails.count(search), search=search)
        self._send(page.encode(), _HTML)

    def _send_list(self, query: Mapping[str, str]) -> None:
        search, limit = query.get("search", ""), min(_number(query, "limit") or 100, _MOST_LISTED)
        mails = self.server.mails.page(search=search, before=_number(query, "before"), limit=limit)
        listed = [as_json(mail) for mail in mails]
        self._send_json({"count": self.server.mails.count(search), "messages": listed})

    def _send_mail(self, found: tuple[Summary, bytes], part: str) -> None:
        mail, content = found
        match part:
            case "":
                self._send(mail_page(mail, read_letter(content)).encode(), _HTML)
            case "html":
                html = framed_html(read_letter(content).html)
                self._send(html.encode(errors="replace"), _HTML, policy=_MAIL_POLICY)
            case "raw":
                self._send(content, _TEXT)
            case _:
                self._send_error(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _send_json(self, value: object) -> None:
        self._send(json.dumps(value).encode(), _JSON)

    def _send_error(self, status: HTTPStatus, sentence: str) -> None:
        self._send(error_page(sentence).encode(), _HTML, status)

    def _send(
        self,
        content: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        more: Mapping[str, str] | None = None,
        policy: str = _PAGE_POLICY,
    ) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in {**headers, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None
