"""`python -m devtools.mail_catcher`: takes mails and shows them until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import signal
import sys
import threading
from pathlib import Path

from devtools.mail_catcher.mails import Mails
from devtools.mail_catcher.smtp import listen
from devtools.mail_catcher.web import InboxServer

_RECIPIENTS = """\
recipients that are refused, at any domain, so that a sender can be tried; "+anything" may follow each:
  catcher-550@…            refused with this code, of 400 to 599, at RCPT
  catcher-451-2@…          refused two times, then taken
  catcher-data-554@…       refused with this code after the content; catcher-data-452-2@… two times
  catcher-lost-answer-1@…  the mail is kept, and the connection ends before the answer; one time
"""


def main() -> None:
    """Read the options, serve, stop in order."""
    options = _options()
    options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mails = Mails(options.folder / "mails.sqlite3")
    try:
        _serve(mails, options.host, options.smtp_port, options.http_port)
    except OSError as error:
        sys.exit(f"mail catcher: cannot listen on ports {options.smtp_port} and {options.http_port}: {error}")


def _serve(mails: Mails, host: str, smtp_port: int, http_port: int) -> None:
    inbox = InboxServer((host, http_port), mails)
    threading.Thread(target=inbox.serve_forever, name="inbox", daemon=True).start()
    asyncio.run(_take_mails(mails, host, smtp_port, inbox.server_port))
    inbox.shutdown()


async def _take_mails(mails: Mails, host: str, smtp_port: int, http_port: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await listen(mails, host, smtp_port)
    smtp_port = server.sockets[0].getsockname()[1]
    print(f"mail catcher: smtp://{host}:{smtp_port} http://{host}:{http_port}", flush=True)
    await stop.wait()
    server.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.mail_catcher",
        description="A mail server for development that delivers nothing: an inbox page and "
        "/api/messages show what it was sent. By default it listens on this machine alone.",
        epilog=_RECIPIENTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--folder", type=Path, required=True, metavar="FOLDER", help="where its mails are kept"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--smtp-port", type=int, default=1025, help="takes mails (default: %(default)s)")
    parser.add_argument("--http-port", type=int, default=8025, help="shows them (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
