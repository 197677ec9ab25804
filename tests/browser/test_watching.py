"""The watcher of the other tests notices what no page may do."""

import pytest
from playwright.sync_api import Page

from tests.browser.watching import Watcher

SHIFT = """() => new Promise((done) => setTimeout(() => {
  const box = document.createElement("div");
  box.style.height = "400px";
  document.body.prepend(box);
  setTimeout(done, 100);
}, 600))"""


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("() => console.error('no such thing')", "no such thing"),
        ("() => { setTimeout(() => { throw new Error('thrown late'); }); }", "thrown late"),
        ("() => fetch('http://127.0.0.1:1/').catch(() => 0)", "the policy forbids connect-src"),
        ("() => fetch('/no/such/file')", "status of 404"),
        ("() => { new Image().src = 'http://example.com/'; }", "the policy forbids img-src"),
        (SHIFT, "the layout shifts by"),
    ],
)
def test_a_fault_of_a_page_is_noticed(visitor: Page, watcher: Watcher, script: str, fault: str) -> None:
    visitor.goto("/nowhere/")
    assert watcher.faults() == []
    visitor.evaluate(script)
    assert any(fault in each for each in watcher.faults()), watcher.faults()
    watcher.tolerated.append("")


def test_a_request_to_another_host_is_noticed(visitor: Page, watcher: Watcher) -> None:
    visitor.goto("/api/schema/?format=json")  # no page, so it has no policy that would forbid the request
    visitor.evaluate("() => fetch('http://127.0.0.1:1/').catch(() => 0)")
    assert any("a request to another host" in each for each in watcher.faults()), watcher.faults()
    watcher.tolerated.append("")
