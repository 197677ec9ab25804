"""The command line of ./start; needs nothing but Python, so that --help answers before any set-up."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from devtools.stack.processes import DEFAULT_COUNTS
from kafka_workers.workers import WORKERS

_EPILOG = """\
environment:
  STACK_DIR      where data, logs and settings live (.stack)
  WEB_HOST       where web and sockets listen (127.0.0.1)
  WEB_PORT       HTTP (8000)            WS_PORT        WebSocket (8001)
  KAFKA_PORT     Kafka (9092)           MONGO_PORT     MongoDB (27017)
  POSTGRES_PORT  PostgreSQL (5432)      PAYMENTS_PORT  payment sandbox (12111)
  SMTP_PORT      mail catcher (1025)    MAIL_PORT      its inbox (8025)
  KAFKA_BROKERS, MONGODB_URI, DATABASE_URL   a server of your own instead of an embedded one
  STRIPE_SECRET_KEY or STRIPE_API_BASE       a payment gateway instead of the sandbox
  EMAIL_URL                                  a mail server instead of the catcher

While it runs, from another shell:
  ./start status                   what runs, what is behind and what is wrong
                                   exit code 0: all is well, 1: something is
                                   wrong, 2: it does not run
  .venv/bin/python manage.py …     the commands; `help` lists them

Servers and processes that end by themselves are started again. A database of
your own that is away is waited for; without Kafka orders are taken, and settled
when it is back.
Ctrl-C stops everything; the data stays.
"""


@dataclass(frozen=True)
class StartOptions:
    """The options of ./start."""

    demo: bool
    counts: dict[str, int]


def parse_start(arguments: Sequence[str]) -> StartOptions:
    """Parses the arguments; ends the program on --help and on an unknown argument."""
    parser = argparse.ArgumentParser(
        prog="./start",
        usage="./start [status | options]",
        description="Starts Stockbridge: its servers, and every process on them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--no-demo", dest="demo", action="store_false", help="load no demo catalogue and users"
    )
    purposes = {worker.name: f"processes run the {worker.title}, to {worker.purpose}" for worker in WORKERS}
    for name, purpose in ({"web": "processes answer HTTP"} | purposes).items():
        default = DEFAULT_COUNTS[name]
        meaning = f"how many {purpose} ({default})"
        flag = f"--{name}-workers"
        parser.add_argument(flag, dest=name, type=_count, default=default, metavar="N", help=meaning)
    chosen = vars(parser.parse_args(arguments))
    counts = {name: chosen[name] for name in DEFAULT_COUNTS}
    return StartOptions(demo=chosen["demo"], counts=counts)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {count}")
    return count


if __name__ == "__main__":
    parse_start(sys.argv[1:])
