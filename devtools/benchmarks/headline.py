"""The table of headline figures, beside what other systems reach and what we aim at."""

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from devtools.benchmarks.figures import Line
from devtools.benchmarks.published import Key, Published
from devtools.benchmarks.table import beside_median, number
from devtools.document_tables import table_of

ACCEPTED = Key("orders", "1 item, 64 clients", "accepted")
ANSWERED_P99 = Key("orders", "1 item, 64 clients", "answered, p99")
SUSTAINED = Key("orders", "1 item, 16 clients for 20 s", "settled")
WITH_ORIGIN = Key("orders-public", "64 clients, with Origin", "answered;")
WITH_RATES = Key("orders-public", "64 clients, with rates", "answered;")
WITH_BOTH = Key("orders-public", "16 clients, with Origin and rates", "answered;")
POST_ANSWERED = Key("latency", "one client", "POST → 201, p50")
POST_STOCK = Key("latency", "one client", "POST → stock taken, p50")
POST_CONFIRMED = Key("latency", "one client", "POST → order:confirmed heard, p50")
FIRST_ORDER = Key("first-order", "fresh system, first order", "POST → stock taken")
SOLD_OUT = Key("refusals", "reserve: sold-out product, 16 clients", "answered;")
UNKNOWN_PRODUCT = Key("refusals", "order: unknown product, 16 clients", "answered;")
USED_KEY = Key("refusals", "order: used key, same body, 16 clients", "answered;")
SETTLED = Key("settle", "20,000 on 200 products", "settled")
HOT = Key("hot", "20,000 on one product, pieces for 15,000", "settled")
BACKLOG = Key("relay", "a backlog of 80,000 messages", "messages")
RELAY_MEMORY = BACKLOG._replace(figure="most memory")
COMMIT_P50 = Key("relay-latency", "10 events a second, one at a time", "COMMIT → read, p50")
COMMIT_P95 = COMMIT_P50._replace(figure="COMMIT → read, p95")
RELAY_IDLE = COMMIT_P50._replace(figure="CPU of the relay")
PAID = Key("prepaid", "one order at a time", "POST → paid and Processing on the socket, p50")
PREPAID = Key("prepaid", "1,200 orders", "paid and Processing")
MAILS = Key("mail", "1,000 mails", "mails")
RELAY_ALONE = Key("takeover", "one relay", "kill -9")
RELAY_STANDBY = Key("takeover", "one relay and a standby", "kill -9")


class Headline(NamedTuple):
    """A row of the table: what it shows, what we aim at, what other systems reach."""

    words: str
    key: Key
    aim: str = ""
    others: str = ""


HEADLINES = (
    Headline("orders accepted, 64 clients", ACCEPTED, "2,500 /s", "Node.js: 400"),
    Headline("… answered, p99", ANSWERED_P99, "100 ms"),
    Headline("orders accepted and settled, 16 clients for 20 s", SUSTAINED, "1,500 /s", "Node.js: 297"),
    Headline("orders with `Origin`, 64 clients", WITH_ORIGIN, "ratio 0.9"),
    Headline("orders with rates on, 64 clients", WITH_RATES, "ratio 0.9"),
    Headline("orders with both, 16 clients", WITH_BOTH, "ratio 0.9"),
    Headline("POST → stock taken, p50", POST_STOCK, "10 ms", "Node.js: 10.5, losing orders"),
    Headline("POST → confirmed on the socket, p50", POST_CONFIRMED, "20 ms", "Node.js: never"),
    Headline("the first order after the start → stock taken", FIRST_ORDER, "100 ms"),
    Headline("POST → paid and Processing on the socket, p50", PAID, "300 ms"),
    Headline("orders paid in advance, 16 clients", PREPAID, "ratio 0.5"),
    Headline("mails about orders", MAILS, "ratio 0.5"),
    Headline("refusal: the product is sold out", SOLD_OUT, "ratio 1"),
    Headline("refusal: there is no such product", UNKNOWN_PRODUCT, "ratio 1"),
    Headline("the same order again, with its key", USED_KEY, "ratio 1"),
    Headline("requests settled, 200 products", SETTLED, "20,000 /s, ratio 0.6", "Node.js: 700"),
    Headline("requests settled, one hot product", HOT, "ratio 0.5"),
    Headline(
        "relay: a backlog of 80,000 messages",
        BACKLOG,
        "75,000 /s",
        "Debezium: 49,400 (35,500 to 60,200); polled outbox: 40,300",
    ),
    Headline("relay: most memory (RSS)", RELAY_MEMORY, "120 MB", "Debezium: 1 GB"),
    Headline("relay: CPU while nothing happens", RELAY_IDLE, "", "Debezium: 12 s/min"),
    Headline("COMMIT → consumer, p50", COMMIT_P50, "3 ms"),
    Headline("COMMIT → consumer, p95", COMMIT_P95, "5 ms"),
    Headline("relay killed, alone → messages again", RELAY_ALONE, "1 s"),
    Headline("relay killed, with a standby → messages again", RELAY_STANDBY, "0.5 s"),
)
HEADLINE_ROWS = frozenset(headline.key.row for headline in HEADLINES)
"""The rows that have a figure in the table."""

_COLUMNS = ("", "median", "least to most", "runs", "raw", "ratio", "aim", "others")
_WIDTH = 150


def headline_table(published: Published) -> list[str]:
    """The table in Markdown."""
    return table_of(_COLUMNS, (list(_cells(headline, published)) for headline in HEADLINES))


def _cells(headline: Headline, published: Published) -> Iterator[str]:
    line = published.find(headline.key)
    yield headline.words
    yield from _measured(line) if line else ["not measured", "", "", "", ""]
    yield from (headline.aim, headline.others)


def _measured(line: Line) -> Iterator[str]:
    yield f"**{number(line.median)}** {line.unit}".strip()
    yield from beside_median(line)


def lead(published: Published) -> str:
    """The headline in one sentence; empty while one of its figures is not measured."""
    found = [published.find(key) for key in (ACCEPTED, ANSWERED_P99, SUSTAINED, POST_STOCK, POST_CONFIRMED)]
    lines = [line for line in found if line]
    if len(lines) < len(found):
        return ""
    accepted, p99, sustained, stock, confirmed = (number(line.median) for line in lines)
    machine = published.rows[ACCEPTED.row].machine["processor"]
    runs = lines[0].runs
    text = (
        f"On {machine}, shared by servers and load: 64 clients place **{accepted} orders a second** (p99 "
        f"{p99} ms), 16 clients **{sustained} a second** for 20 s, all of them settled. One client's order "
        f"has its stock **{stock} ms** after the POST, and is confirmed on its socket after **{confirmed} "
        f"ms**. {f'Medians of {runs} runs' if runs > 1 else 'Figures of a single run'}."
    )
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False)
