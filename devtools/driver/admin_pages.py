"""The admin pages of a running system, as the browser of a member of staff uses them."""

import re
from types import TracebackType
from typing import Self

import httpx

_ORDERS = "/admin/orders_app/order/"
_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class AdminPages:
    """A browser that is logged in to the admin; a context manager."""

    def __init__(self, web_url: str, username: str, password: str) -> None:
        self._http = httpx.Client(base_url=web_url, timeout=15, follow_redirects=True)
        page = self._send_form(
            "/admin/login/", {"username": username, "password": password, "next": "/admin/"}
        )
        assert page.url.path == "/admin/", f"{username} is not logged in: {page.url}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def act_on_order(self, label: str, order_id: str) -> str:
        """Choose the action with this label for the order, and confirm it; the page that follows."""
        chosen = {"action": self._action(label), "_selected_action": order_id}
        asked = self._send_form(_ORDERS, chosen).url
        return self._send_form(f"{asked.path}?{asked.query.decode()}", {}).text

    def _action(self, label: str) -> str:
        """The value of the action that the list offers under this label."""
        page = self._http.get(_ORDERS).text
        offered = re.search(rf'<option value="(\w+)"[^>]*>\s*{re.escape(label)}\s*</option>', page)
        assert offered, f"the list of orders offers no action {label!r}"
        return offered[1]

    def _send_form(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Open the page and send its form, with the token against forged requests that it holds."""
        token = _FORM_TOKEN.search(self._http.get(path).text)
        assert token, f"{path} has no form"
        answer = self._http.post(path, data=fields | {"csrfmiddlewaretoken": token[1]})
        assert answer.status_code == 200, answer.text
        return answer
