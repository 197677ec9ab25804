"""The browser of a person, driven by playwright."""

import re

from playwright.sync_api import Browser, Page, Playwright

_SIGN_IN = "/api/session/login/"
_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def launch(playwright: Playwright, program: str | None) -> Browser:
    """Chromium, by the path of its program."""
    # Its sandbox refuses to work for root, as whom containers run.
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


def sign_in(page: Page, name: str, password: str) -> None:
    """Gives the browser of this page a session of the user, without opening a page."""
    form = page.context.request.get(_SIGN_IN).text()
    token = _FORM_TOKEN.search(form)
    assert token, f"{_SIGN_IN} has no form: {form[:200]}"
    fields = {"username": name, "password": password, "csrfmiddlewaretoken": token[1]}
    answer = page.context.request.post(_SIGN_IN, form=fields, max_redirects=0)
    assert answer.status == 302, f"{name} is not signed in: {answer.status} {answer.text()[:200]}"
