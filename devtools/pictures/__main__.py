"""Takes the pictures of README and documents from demo data: `.venv/bin/python -m devtools.pictures`.

Starts a system of its own, with two months of orders, and stops it when all pictures are taken: two minutes.
Needs Chromium (devtools/install-chromium.sh) and the packages of requirements-dev.txt. Names of pictures as
arguments take these alone; with `--of http://localhost:8000` it takes them of a demo that runs.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from devtools.driver.browser import launch, sign_in
from devtools.driver.shop import DEMO_PASSWORD, Shop
from devtools.pictures.scenes import Scene, place_orders
from devtools.pictures.shots import SHOTS, Shot
from devtools.stack.ports import Ports
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import embedded_stack

FOLDER = PROJECT / "docs" / "pictures"
DAYS = "60"  # insights compare a month with the one before
PATIENCE_MILLISECONDS = 5_000


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m devtools.pictures", description=__doc__)
    names = [shot.name for shot in SHOTS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names)} (all)")
    parser.add_argument("--of", metavar="URL", help="a demo that runs (one of its own)")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(names):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    shots = [shot for shot in SHOTS if not chosen.names or shot.name in chosen.names]
    if chosen.of:
        take_all(shots, chosen.of)
    else:
        with demo() as url:
            take_all(shots, url)


@contextmanager
def demo() -> Iterator[str]:
    """A system with two months of orders; its address."""
    with tempfile.TemporaryDirectory(prefix="stockbridge-pictures-") as directory:
        stack = embedded_stack(Path(directory), ports=Ports.free(), caller={"DEMO": "true"})
        try:
            stack.start(demo=True)
            command = [sys.executable, "manage.py", "seed_demo", "--days", DAYS]
            subprocess.run(command, cwd=PROJECT, env=stack.env, check=True)
            yield stack.env["PUBLIC_URL"]
        finally:
            stack.stop()


def take_all(shots: list[Shot], url: str) -> None:
    """Take these pictures of the demo at this address."""
    scene = place_orders(Shop(url, "", ""))
    with sync_playwright() as playwright:
        browser = launch(playwright, shutil.which("chromium"))
        for shot in shots:
            _take(shot, scene, browser, url)
            print(f"docs/pictures/{shot.name}.png")
        browser.close()


def _take(shot: Shot, scene: Scene, browser: Browser, url: str) -> None:
    context = browser.new_context(
        base_url=url,
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.is_dark else "light",
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale=shot.language,
    )
    page = context.new_page()
    if shot.person:
        sign_in(page, shot.person, DEMO_PASSWORD)
    page.goto(shot.path.format(**scene.names), wait_until="load")
    # A page learns the time zone of its reader when it is opened first.
    page.goto(shot.path.format(**scene.names), wait_until="load")
    if shot.before:
        shot.before(page, scene)
    with suppress(NotInTime):  # a page that asks for news all the time is never idle
        page.wait_for_load_state("networkidle", timeout=PATIENCE_MILLISECONDS)
    page.screenshot(path=FOLDER / f"{shot.name}.png")
    context.close()


if __name__ == "__main__":
    main()
