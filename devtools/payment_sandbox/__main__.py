"""`python -m devtools.payment_sandbox`: runs the sandbox until SIGTERM or Ctrl-C."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from devtools.payment_sandbox.books import Books
from devtools.payment_sandbox.clock import Clock
from devtools.payment_sandbox.endings import Endings
from devtools.payment_sandbox.gateway import Gateway
from devtools.payment_sandbox.server import SandboxServer
from devtools.payment_sandbox.webhooks import Receiver, Schedule, Sender
from foundation.secret_files import SecretFileError, read_secret_files

_DEFAULT_PORT = 12111


def main() -> None:
    """Read options and secrets, serve, stop in order."""
    options = _options()
    try:
        read_secret_files()
    except SecretFileError as error:
        sys.exit(f"payment sandbox: {error}")
    books = Books(_file_in(options.books))
    schedule = Schedule(options.webhook_seconds)
    server = SandboxServer(
        (options.host, options.port), Gateway(books, schedule), _secret("STRIPE_SECRET_KEY")
    )
    receiver = Receiver(options.webhook_url, _secret("STRIPE_WEBHOOK_SECRET"))
    clocks: list[Clock] = [Sender(books, receiver), Endings(books, schedule)]
    for clock in clocks:
        clock.start()
    threading.Thread(target=server.serve_forever, name="requests", daemon=True).start()
    print(f"payment sandbox: http://{options.host}:{server.server_port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    server.shutdown()
    for clock in clocks:
        clock.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.payment_sandbox",
        description="A payment gateway for development that speaks Stripe's API and takes no money. "
        "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET come from the environment, or from the files that "
        "STRIPE_SECRET_KEY_FILE and STRIPE_WEBHOOK_SECRET_FILE name.",
    )
    parser.add_argument(
        "--books", type=Path, required=True, metavar="FOLDER", help="where its books are kept"
    )
    parser.add_argument("--webhook-url", required=True, metavar="URL", help="where its webhooks are sent")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="port (default: %(default)s)")
    parser.add_argument(
        "--webhook-seconds",
        type=float,
        default=2.0,
        metavar="SECONDS",
        help="webhooks come up to so many seconds late (default: %(default)s)",
    )
    return parser.parse_args()


def _file_in(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "books.sqlite3"


def _secret(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        sys.exit(f"payment sandbox: {name} is not set")
    return value


if __name__ == "__main__":
    # Every thread inherits the mask, so that the main thread alone takes the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
