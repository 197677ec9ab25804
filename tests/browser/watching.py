"""Notes the faults of the pages that a test walks through."""

from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

LARGEST_SHIFT = 0.02
"""The layout shift that a page may have in all; up to 0.1 counts as good (https://web.dev/cls)."""

_OWN_SCHEMES = {"about", "blob", "data"}
_STATUS_ERROR = "Failed to load resource"
_REPORT = """
{
  const nameOf = (node) => node && (node.id || node.className || node.nodeName);
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) =>
    reportToTest(`the policy forbids ${effectiveDirective} ${blockedURI} (${sourceFile})`));
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries().filter((each) => !each.hadRecentInput)) {
      const page = `${location.pathname} of ${performance.timeOrigin}`;
      reportShiftToTest(page, entry.value, entry.sources.map(({ node }) => nameOf(node)).join(", "));
    }
  }).observe({ type: "layout-shift", buffered: true });
}
"""
_NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


class Watcher:
    """Notes the faults of all pages of a test; sentences with a part that is in `tolerated` are no faults.

    Nor is an answer of 400 to 499 to a page that was opened or a form that was sent: such a page says what is
    wrong.
    """

    def __init__(self, host: str) -> None:
        self.tolerated: list[str] = []
        self._host = host
        self._faults: list[str] = []
        self._shifts: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._refused_pages: set[str] = set()
        self._contexts: list[BrowserContext] = []
        self._with_scripts: list[BrowserContext] = []

    def watch(self, context: BrowserContext, *, runs_scripts: bool = True) -> None:
        """Notes from now on what the pages of this context do."""
        self._contexts.append(context)
        if runs_scripts:
            self._with_scripts.append(context)
        context.expose_binding("reportToTest", lambda source, text: self._note(source["page"].url, text))
        context.expose_binding("reportShiftToTest", lambda _, page, *shift: self._shifts[page].append(shift))
        context.add_init_script(_REPORT)
        context.on("response", self._note_refused_page)
        context.on("console", self._note_message)
        context.on("weberror", self._note_error)
        context.on("request", self._note_request)
        context.on("page", self._note_sockets_of)

    def faults(self) -> list[str]:
        """One sentence for each fault of the pages so far."""
        # Without scripts a page reports nothing, and would wait for its next frame for ever.
        for page in (page for context in self._with_scripts for page in context.pages):
            page.evaluate(_NEXT_FRAME)
        found = [*self._faults, *(_shifted(page, shifts) for page, shifts in self._shifts.items())]
        return [fault for fault in found if fault and not any(part in fault for part in self.tolerated)]

    def close(self) -> None:
        """Closes the pages that are watched."""
        for context in self._contexts:
            context.close()

    def _note(self, page: str, text: str) -> None:
        self._faults.append(f"{page}: {text}")

    def _note_refused_page(self, response: Response) -> None:
        if response.request.is_navigation_request() and 400 <= response.status < 500:
            self._refused_pages.add(response.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        source = message.location["url"]
        if message.type != "error" or source.endswith("/favicon.ico"):
            return
        if _STATUS_ERROR in message.text and source in self._refused_pages:
            return
        self._note(message.page.url if message.page else "", f"{message.text} ({source})")

    def _note_error(self, error: WebError) -> None:
        self._note(error.page.url if error.page else "", str(error.error))

    def _note_request(self, request: Request) -> None:
        self._note_address(request.url)

    def _note_sockets_of(self, page: Page) -> None:
        page.on("websocket", lambda socket: self._note_address(socket.url))

    def _note_address(self, url: str) -> None:
        address = urlsplit(url)
        if address.hostname != self._host and address.scheme not in _OWN_SCHEMES:
            self._note(url, "a request to another host")


def _shifted(page: str, shifts: Sequence[tuple[float, str]]) -> str:
    """A sentence about the layout shift of a page; empty if it is small."""
    total = sum(value for value, _ in shifts)
    if total <= LARGEST_SHIFT:
        return ""
    worst = max(shifts)
    return f"{page}: the layout shifts by {total:.3f}, most of it ({worst[0]:.3f}) at {worst[1]}"
