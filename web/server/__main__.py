"""`python -m web.server --port 8000 config.wsgi:application`: the web server, with its processes."""

import argparse
import asyncio
import os
import socket
import sys
import time
from functools import partial

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server
from uvicorn.supervisors import Multiprocess

from foundation.ecs_line import name_process
from foundation.logging import logging_config
from web.server.connection import HttpConnection
from web.server.draining import drain
from web.server.web_process import load_process, tell_listening

BACKLOG = 1024
FROZEN_SECONDS = 15
"""A process that has not answered its supervisor for so long is replaced."""
SHUTDOWN_SECONDS = 10


class SingleProcess(Server):
    """A server that is one process, and so may close its listening socket to all."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer all who are connected, and end."""
        for seconds in drain(sockets or []):
            await asyncio.sleep(seconds)
        await super().shutdown(sockets)


class Supervisor(Multiprocess):
    """Processes that share a listening socket: they come and go, and it is closed with the last."""

    def terminate_all(self) -> None:
        """Let the processes answer all who are connected, and end."""
        for seconds in drain(self.sockets):
            time.sleep(seconds)
        super().terminate_all()


def main() -> None:
    """Serve until SIGTERM; a process that ends is replaced."""
    name_process("web")
    logging_config(os.environ.get("LOG_FORMAT", "console"))
    options = _options()
    _require_shared_metrics(options.processes)
    config = _config(options)
    listener = config.bind_socket()
    if config.workers == 1:
        SingleProcess(config).run([listener])
    else:
        supervisor = Supervisor(config, [listener])
        supervisor.run()
        if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
            sys.exit(STARTUP_FAILURE)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="web.server", description="The web server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("application", help="the WSGI application, as package.module:name")
    return parser.parse_args()


def _require_shared_metrics(processes: int) -> None:
    """End where each of several processes would show its own metrics on one port."""
    has_port = os.environ.get("METRICS_PORT", "").strip() not in {"", "0"}
    if processes > 1 and has_port and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        print(  # noqa: T201 - as other wrong settings
            "web: METRICS_PORT with several processes needs PROMETHEUS_MULTIPROC_DIR, an empty directory of "
            "this container, in which they count together.",
            file=sys.stderr,
        )
        sys.exit(STARTUP_FAILURE)


def _config(options: argparse.Namespace) -> Config:
    return Config(
        partial(load_process, options.application),
        factory=True,
        host=options.host,
        port=options.port,
        workers=options.processes,
        http=HttpConnection,
        ws="none",
        loop="uvloop",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=FROZEN_SECONDS,
        callback_notify=tell_listening,
    )


if __name__ == "__main__":
    main()
