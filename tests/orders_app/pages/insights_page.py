"""The page of figures as a browser of staff without JavaScript shows it."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

ADDRESS = "/insights/"


class Tables(HTMLParser):
    """The texts of the cells of all rows, and the values of definition lists as rows of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in {"tr", "dt"}:
            self.rows.append([])
        if tag in {"td", "th", "dt", "dd"}:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "dt", "dd"} and self._cell is not None:
            self.rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def open_insights(client: Client, address: str = ADDRESS, **asked: str) -> Any:
    """The answer with the page."""
    return client.get(address, asked)


def row(answer: Any, label: str) -> list[str]:
    """The other cells of the first row that begins with this label."""
    tables = Tables()
    tables.feed(answer.content.decode())
    return next(cells[1:] for cells in tables.rows if cells and cells[0] == label)
