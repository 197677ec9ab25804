"""Takes the README's pictures of a running demo: `.venv/bin/python docs/pictures/take.py`, beside `./start`.

Needs Chromium and the packages of requirements-dev.txt. An argument is the address, else localhost:8000.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

URL = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000"
HERE = Path(__file__).parent

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 760})
    page.goto(f"{URL}/admin/login/?next=/admin/orders_app/order/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "stockbridge-demo")
    page.click("[type=submit]")
    page.wait_for_selector("#result_list")
    page.screenshot(path=HERE / "admin-orders.png")
    page.click("#result_list tbody a")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / "admin-order.png")
    page.goto(f"{URL}/api/docs/")
    page.wait_for_selector(".opblock")
    page.screenshot(path=HERE / "api-docs.png")
    browser.close()
