"""Opens pages in Chromium, one after another, and prints the errors of the browser as JSON.

Its arguments: the executable, the server's address, name and password for the admin, and the paths. Apart
from the tests' process, because Django lets no thread that runs an event loop near the database.
"""

import json
import sys

from playwright.sync_api import ConsoleMessage, sync_playwright

chromium, url, name, password, *paths = sys.argv[1:]
browser_errors: list[str] = []


def note(message: ConsoleMessage) -> None:
    source = message.location["url"]
    if message.type in {"error", "warning"} and not source.endswith("/favicon.ico"):
        browser_errors.append(f"{page.url}: {message.text} ({source})")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.on("console", note)
    page.on("pageerror", lambda error: browser_errors.append(f"{page.url}: {error}"))
    page.goto(f"{url}/admin/login/?next=/admin/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url(f"{url}/admin/")
    for path in paths:
        answer = page.goto(f"{url}{path}")
        if path == "/api/docs/":
            page.wait_for_selector(".opblock")
        if path.startswith("/admin/"):
            page.wait_for_function("window.Alpine !== undefined")
        if answer is None or not answer.ok or not page.inner_text("body").strip():
            browser_errors.append(f"{path}: {answer and answer.status}")
    page.goto(f"{url}/api/v1/")
    page.click("#logoutForm button")
    page.wait_for_selector("text=Log in")
    browser.close()
print(json.dumps(browser_errors))  # noqa: T201
