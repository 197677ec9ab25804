"""`python -m devtools.stack start [status]|kafka`: the commands that ./start and ./start-kafka.sh run."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.stack.console import Console
from devtools.stack.directory_lock import ENTRIES, lock_directory
from devtools.stack.errors import StackError
from devtools.stack.kafka import KafkaBroker
from devtools.stack.options import StartOptions, parse_start
from devtools.stack.ports import Ports
from devtools.stack.private_files import make_private_folder
from devtools.stack.server import HOST
from devtools.stack.servers import MAIL, PAYMENTS
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack
from devtools.stack.status import print_status

_WELCOME = """
Stockbridge is running.

  shop           {web}/
  API            {web}/api/v1/     description of the API: {web}/api/docs/
  admin          {web}/admin/
  sockets        {sockets}
  settings       {directory}/env         logs: {directory}/logs/
"""
_PAGES = {
    PAYMENTS: "  payments       {page}   a sandbox that takes no money\n",
    MAIL: "  mail           {page}   every mail that was sent\n",
}
"""Lines about servers that have something to show."""
_DEMO = """\
  sign in as     alice, bob (customers), sam (staff), admin (superuser); password: stockbridge-demo
"""

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> None:
    """Runs the command; a StackError ends it with one line and exit code 1."""
    # SIGTERM and a closed terminal end the command as Ctrl-C does. SIGINT is set too, since a shell starts
    # background jobs with SIGINT ignored.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    os.umask(0o077)
    try:
        match arguments:
            case ["start", "status"]:
                sys.exit(print_status(_directory()))
            case ["start", *options]:
                _start(parse_start(options))
            case ["kafka"]:
                _run_kafka()
            case _:
                sys.exit("usage: python -m devtools.stack start [status]|kafka")
    except KeyboardInterrupt:
        print("stopped; the data is kept", flush=True)
    except StackError as error:
        sys.exit(f"stockbridge: {error}")


def _start(options: StartOptions) -> None:
    directory = _directory()
    ports = Ports.from_env(os.environ)
    with lock_directory(directory):
        stack = embedded_stack(
            directory,
            ports=ports,
            caller={"DEMO": str(options.demo).lower(), **os.environ},
            counts=options.counts,
            console=Console(),
        )
        try:
            stack.start(demo=options.demo)
            print(_welcome(stack, demo=options.demo), flush=True)
            signal.pause()
        finally:
            _ignore_further_signals()
            print("stopping …", flush=True)
            stack.stop()


def _welcome(stack: Stack, *, demo: bool) -> str:
    pages = [_PAGES[name].format(page=server.page) for name, server in stack.servers.items() if server.page]
    text = "".join([_WELCOME, *pages, _DEMO if demo else ""])
    return text.format(**stack.urls, directory=stack.settings.directory)


def _run_kafka() -> None:
    ports = Ports.from_env(os.environ)
    ports.require_free({"kafka": HOST})
    directory = _directory()
    make_private_folder(directory, own=ENTRIES)
    broker = KafkaBroker(directory / "kafka", ports.kafka)
    try:
        broker.install()
        broker.start()
        print(f"Kafka is healthy on {broker.address}; Ctrl-C stops it", flush=True)
        signal.pause()
    finally:
        _ignore_further_signals()
        broker.stop()


def _directory() -> Path:
    return Path(os.environ.get("STACK_DIR") or PROJECT / ".stack").resolve()


def _ignore_further_signals() -> None:
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main(sys.argv[1:])
