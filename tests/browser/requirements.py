"""What each page must be, asked of a page that is open: accessible, light, and no wider than a phone."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SECONDS_TO_LARGEST_PAINT = 1.0
_LOADS = 3
"""Loads of which the quickest counts: other programs of the machine delay some."""
_PHONE, _DESK = 390, 1280
_THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
_LARGEST_PAINT = """
new PerformanceObserver((list) => { window.largestPaint = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
_OF_DJANGO = {"aria-prohibited-attr": ".help-tooltip"}
"""Faults that Django's own script makes, by rule and element: it names the sign beside a box that filters."""
_SHOW_THEME_OF_ADMIN = """
(theme) => {
  const root = document.documentElement;
  if (root.hasAttribute("x-bind")) root.classList.toggle("dark", theme === "dark");
}
"""
"""The admin's theme reads which colours are preferred only while a page loads, into a class of its root."""
_ANIMATIONS_ENDED = "() => document.getAnimations().every((each) => each.playState !== 'running')"


def require_all(page: Page, kilobytes: int = 150) -> None:
    """Fails if the page breaks one of the requirements below."""
    require_accessible(page)
    require_fits(page)
    require_light(page, kilobytes)


def require_accessible(page: Page) -> None:
    """Fails on serious faults that axe finds in the page as it stands, in the light and the dark theme."""
    found = [fault for theme in _THEMES for fault in _faults_in(page, theme)]
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.evaluate(_SHOW_THEME_OF_ADMIN, "light")
    assert not found, f"{page.url} is not accessible:\n" + "\n".join(found)


def require_light(page: Page, kilobytes: int) -> None:
    """Fails if the page, opened anew with an empty cache, is larger or is painted later than it may be."""
    loads: list[tuple[float, int]] = []
    while not loads or (min(loads)[0] > SECONDS_TO_LARGEST_PAINT and len(loads) < _LOADS):
        loads.append(_load_anew(page))
    seconds, size = min(loads)
    assert size <= kilobytes * 1000, f"{page.url} transfers {size / 1000:.0f} KB, more than {kilobytes}"
    assert seconds < SECONDS_TO_LARGEST_PAINT, f"{page.url} is painted after {seconds:.2f} s"


def require_fits(page: Page) -> None:
    """Fails if the page is wider than a phone, so that one has to scroll sideways."""
    page.set_viewport_size({"width": _PHONE, "height": 844})
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    page.set_viewport_size({"width": _DESK, "height": 800})
    assert wide <= _PHONE, f"{page.url} is {wide} px wide on a screen of {_PHONE} px"


def _faults_in(page: Page, theme: Literal["light", "dark"]) -> Iterator[str]:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.evaluate(_SHOW_THEME_OF_ADMIN, theme)
    page.wait_for_function(_ANIMATIONS_ENDED)
    for violation in Axe().run(page).response["violations"]:
        nodes = [node for node in violation["nodes"] if not _is_of_django(violation["id"], node)]
        if nodes and violation["impact"] in {"serious", "critical"}:
            yield f"{theme}: {violation['id']}: {violation['help']}: {_elements(nodes)}"


def _is_of_django(rule: str, node: dict[str, Any]) -> bool:
    return rule in _OF_DJANGO and _OF_DJANGO[rule] in node["target"][0]


def _elements(nodes: Sequence[dict[str, Any]]) -> str:
    return "; ".join(f"{node['target'][0]} ({node['failureSummary']})" for node in nodes[:5])


def _load_anew(page: Page) -> tuple[float, int]:
    """The seconds until the largest paint, and the bytes transferred."""
    assert page.context.browser is not None
    context = page.context.browser.new_context(storage_state=page.context.storage_state())
    try:
        fresh = context.new_page()
        fresh.add_init_script(_LARGEST_PAINT)
        network = context.new_cdp_session(fresh)
        sizes: list[float] = []
        network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        network.send("Network.enable")
        fresh.goto(page.url, wait_until="networkidle")
        painted = fresh.wait_for_function("() => window.largestPaint").json_value()
        return painted / 1000, int(sum(sizes))
    finally:
        context.close()
