"""The board in Chromium while orders come in: whether it stays smooth, and whether its memory grows."""

import shutil
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from playwright.sync_api import CDPSession, Page, sync_playwright

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure, percentile
from devtools.benchmarks.load import RunningLoad
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from devtools.driver.browser import launch, sign_in

ORDERS_A_SECOND = 200
_SECONDS_BETWEEN_SAMPLES = 15.0
_WARM_SECONDS = 60.0
"""The browser compiles and the page fills its bounded lists in this time: it is not part of the slope."""
_MIB = 1024 * 1024
# Runs before the scripts of the page.
_COUNT_FRAMES = """
window.frames_of_board = [];
let before = performance.now();
requestAnimationFrame(function count(now) {
    window.frames_of_board.push(now - before);
    before = now;
    requestAnimationFrame(count);
});
"""
_TAKE_FRAMES = "() => window.frames_of_board.splice(0)"
_SHOWN = "document.querySelector('[data-status=\"2\"] [data-count]').textContent"


class Sample(NamedTuple):
    """What the page uses at a moment, after its garbage has been collected."""

    at: float
    heap: float
    nodes: int


@dataclass(frozen=True, kw_only=True)
class BoardResult:
    """One run."""

    messages: float = figure("socket messages", "/s")
    heap: float = figure("JavaScript heap at the end", "MiB")
    slope: float = figure("growth of the heap", "KiB/min")
    nodes: float = figure("DOM nodes at the end, less those after the first minute", "")
    frame_p99: float = figure("frame, p99", "ms")
    frame_max: float = figure("longest frame", "ms")
    dropped: float = figure("frames of more than 50 ms", "%")
    behind: float = figure("the last order placed → all counted on the board", "s")


def measure(options: Options) -> Iterator[tuple[str, BoardResult]]:
    """Orders are placed by a schedule; in the end the board must count every one of them as Processing."""
    seconds = options.sustained or options.seconds(600, 8)
    rate = options.size(ORDERS_A_SECOND, 20)
    with open_system() as system:
        for _ in range(options.runs):
            yield f"{rate} orders/s for {seconds:.0f} s", _run(system, rate, seconds)


def _run(system: System, rate: float, seconds: float) -> BoardResult:
    products = system.new_products(24)
    tokens = [system.token(user) for user in system.new_customers(50)]
    before = _count(system, "SELECT count(*) FROM orders_order")
    events = _count(system, "SELECT count(*) FROM order_event")
    plan = system.place_plan(
        tokens, products, items=2, run=uuid.uuid4().hex, rate=rate, seconds=seconds, connections=16
    )
    with _open_board(system) as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.evaluate(_TAKE_FRAMES)
        load = RunningLoad(plan)
        frames, samples = _watch(page, session, seconds)
        report = load.report()
        placed = before + len(report.latencies)
        wait_until(lambda: _shown(page) == placed, f"the board counts {placed} orders as Processing", 60)
        behind = time.monotonic() - report.ended
        samples.append(_sample(session, time.monotonic()))
    told = _count(system, "SELECT count(*) FROM order_event") - events
    return _result(frames, samples, messages=told / seconds, behind=behind)


def _shown(page: Page) -> int:
    """How many orders the board counts as Processing; other tasks of the browser run meanwhile."""
    page.wait_for_timeout(100)
    return int(page.evaluate(_SHOWN).replace(",", ""))


def _watch(page: Page, session: CDPSession, seconds: float) -> tuple[list[float], list[Sample]]:
    """The frames while orders come in, in milliseconds, and samples."""
    frames: list[float] = []
    samples: list[Sample] = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        page.wait_for_timeout(1000 * min(left, _SECONDS_BETWEEN_SAMPLES))
        frames += page.evaluate(_TAKE_FRAMES)
        samples.append(_sample(session, time.monotonic()))
        page.evaluate(_TAKE_FRAMES)  # without the frame in which garbage was collected for the sample
    return frames, samples


def _sample(session: CDPSession, at: float) -> Sample:
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / _MIB
    metrics: dict[str, Any] = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return Sample(at, heap, int(metrics["Nodes"]))


def _result(frames: Sequence[float], samples: Sequence[Sample], **measured: float) -> BoardResult:
    start = samples[0].at
    warm = [each for each in samples if each.at - start >= _WARM_SECONDS] or samples
    return BoardResult(
        heap=samples[-1].heap,
        slope=1024 * 60 * _slope(warm),
        nodes=samples[-1].nodes - warm[0].nodes,
        frame_p99=percentile(frames, 99),
        frame_max=max(frames),
        dropped=100 * sum(frame > 50 for frame in frames) / len(frames),
        **measured,
    )


def _slope(samples: Sequence[Sample]) -> float:
    """By how many MiB a second the heap grows, by least squares; 0 for a single sample."""
    if len(samples) < 2:
        return 0.0
    return statistics.linear_regression([each.at for each in samples], [each.heap for each in samples]).slope


@contextmanager
def _open_board(system: System) -> Iterator[Page]:
    """The board in a browser in which a new member of staff is signed in, with its connection live."""
    program = shutil.which("chromium")
    if program is None:
        raise MeasurementFailed("there is no chromium: devtools/install-chromium.sh installs Debian's")
    name, password = _new_staff(system)
    with sync_playwright() as playwright:
        browser = launch(playwright, program)
        page = browser.new_page(base_url=system.stack.urls["web"])
        page.add_init_script(_COUNT_FRAMES)
        sign_in(page, name, password)
        page.goto("/board/")
        page.wait_for_selector("[data-connection][data-state=live]")
        yield page
        browser.close()


def _new_staff(system: System) -> tuple[str, str]:
    """The name and the password of a new member of staff."""
    password = uuid.uuid4().hex
    address, _ = system.register(password)
    name = address.partition("@")[0]
    system.postgres.execute("UPDATE auth_user SET is_staff = true WHERE username = %s", [name])
    return name, password


def _count(system: System, sql: str) -> int:
    [(number,)] = system.rows(sql)
    return int(number)


ROW = Row(
    "board",
    "the board in Chromium at 200 orders/s for ten minutes: frames and memory",
    measure,
    runs=1,
    is_usual=False,
)
