"""The chart of the headline figures: an SVG without scripts, fonts or pictures from elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from devtools.benchmarks import headline
from devtools.benchmarks.figures import Line
from devtools.benchmarks.published import Key, Published
from devtools.benchmarks.table import number

_WIDTH, _LABELS, _BARS = 860, 300, 440
_ROW, _BAR, _TITLE, _MARGIN = 26, 16, 46, 16
_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2933 }
    .title { font-weight: 600; font-size: 14px }
    .ground { fill: #ffffff } .ours { fill: #2b6cb0 } .raw { fill: #a7b4c4 } .other { fill: #d69e2e }
    .spread { stroke: #1f2933; stroke-width: 1.5 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .ground { fill: #0d1117 } .ours { fill: #58a6ff } .raw { fill: #57606a } .other { fill: #d4a72c }
      .spread { stroke: #e6edf3 }
    }
"""

Kind = Literal["ours", "raw", "other"]


@dataclass(frozen=True)
class Bar:
    """One bar; with a spread the least and the most of several runs."""

    words: str
    value: float
    kind: Kind
    spread: tuple[float, float] | None = None

    @property
    def most(self) -> float:
        """How far it reaches, with its spread."""
        return max(self.value, self.spread[1]) if self.spread else self.value


@dataclass(frozen=True)
class Ours:
    """A figure of ours; with `raw` its raw figure has a bar of this name too."""

    words: str
    key: Key
    raw: str = ""


@dataclass(frozen=True)
class Panel:
    """Bars with one scale."""

    title: str
    bars: Sequence[Ours | Bar]


PANELS = (
    Panel(
        "Orders a second, accepted (more is better)",
        (
            Ours("64 clients", headline.ACCEPTED),
            Ours("64 clients, with Origin", headline.WITH_ORIGIN),
            Ours("64 clients, with rates on", headline.WITH_RATES),
            Ours("16 clients for 20 s, settled", headline.SUSTAINED),
            Bar("Node.js system, 64 clients", 400, "other"),
            Bar("Node.js system, 16 clients, sustained", 297, "other"),
        ),
    ),
    Panel(
        "Stock requests a second, settled (more is better)",
        (
            Ours("200 products", headline.SETTLED, "raw: pymongo, nothing decided"),
            Ours("one product that sells out", headline.HOT, "raw: pymongo, nothing decided"),
        ),
    ),
    Panel(
        "Messages a second from a backlog of 80,000 (more is better)",
        (
            Ours("relay", headline.BACKLOG, "raw: confluent-kafka alone"),
            Bar("Debezium 3.7", 49_400, "other", (35_500, 60_200)),
            Bar("polled outbox", 40_300, "other"),
        ),
    ),
    Panel(
        "Milliseconds for one client (less is better)",
        (
            Ours("POST → 201, p50", headline.POST_ANSWERED),
            Ours("POST → stock taken, p50", headline.POST_STOCK),
            Ours("POST → confirmed on the socket, p50", headline.POST_CONFIRMED),
            Ours("first order → stock taken", headline.FIRST_ORDER),
        ),
    ),
)


def draw_chart(published: Published) -> str:
    """The SVG; a figure that was not measured has no bar."""
    parts, top = list[str](), _MARGIN
    for panel in PANELS:
        bars = [bar for each in panel.bars for bar in _bars_of(each, published)]
        parts += _draw_panel(panel.title, bars, top)
        top += _TITLE + _ROW * len(bars)
    height = top + _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            "<title>Headline figures of ./bench; the lines show the least and the most of all runs</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{_WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _bars_of(shown: Ours | Bar, published: Published) -> Iterator[Bar]:
    if isinstance(shown, Bar):
        yield shown
    elif line := published.find(shown.key):
        yield Bar(shown.words, line.median, "ours", _spread(line))
        if shown.raw and line.raw is not None:
            yield Bar(shown.raw, line.raw, "raw")


def _spread(line: Line) -> tuple[float, float] | None:
    return (line.least, line.most) if line.runs > 1 else None


def _draw_panel(title: str, bars: Sequence[Bar], top: int) -> Iterator[str]:
    yield f'<text class="title" x="{_MARGIN}" y="{top + 26}">{escape(title)}</text>'
    longest = max((bar.most for bar in bars), default=1)
    for index, bar in enumerate(bars):
        yield from _draw_bar(bar, top + _TITLE + _ROW * index, _BARS / longest)


def _draw_bar(bar: Bar, top: int, scale: float) -> Iterator[str]:
    base, end = top + 13, _LABELS + scale * bar.most
    yield f'<text x="{_LABELS - 10}" y="{base}" text-anchor="end">{escape(bar.words)}</text>'
    size = f'width="{scale * bar.value:.1f}" height="{_BAR}"'
    yield f'<rect class="{bar.kind}" x="{_LABELS}" y="{top}" {size} rx="2"/>'
    if bar.spread:
        least, most = (f"{_LABELS + scale * value:.1f}" for value in bar.spread)
        middle = top + _BAR / 2
        yield f'<line class="spread" x1="{least}" x2="{most}" y1="{middle}" y2="{middle}"/>'
    yield f'<text x="{end + 8:.1f}" y="{base}">{number(bar.value)}</text>'
