"""The embedded servers together; a server of the caller's own replaces an embedded one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from devtools.stack.kafka import KafkaBroker
from devtools.stack.mail_catcher import MailCatcher
from devtools.stack.mongo import MongoServer
from devtools.stack.payment_sandbox import PaymentSandbox
from devtools.stack.ports import Ports, in_url, reachable
from devtools.stack.postgres import PostgresServer
from devtools.stack.server import HOST, Server

PAYMENTS, MAIL = PaymentSandbox.name, MailCatcher.name
"""The servers that a system without payments, or without mail, does not need."""
_WEBHOOKS = "/api/v1/payments/webhook/"


def embedded_servers(
    directory: Path, *, ports: Ports, caller: Mapping[str, str], without: Collection[str] = ()
) -> dict[str, Server]:
    """The embedded servers to run, by the setting that holds the server's address.

    A server is left out if the caller's environment says that there is another, or if `without` names it.
    """
    web = f"http://{in_url(reachable(caller.get('WEB_HOST') or HOST))}:{ports.web}"
    servers = (
        KafkaBroker(directory / "kafka", ports.kafka),
        MongoServer(directory / "mongodb", ports.mongodb),
        PostgresServer(directory / "postgres", ports.postgres),
        PaymentSandbox(directory / "payments", ports.payments, webhook_url=web + _WEBHOOKS),
        MailCatcher(directory / "mail", ports.smtp, inbox_port=ports.mail),
    )
    return {
        server.setting: server
        for server in servers
        if server.name not in without and not any(caller.get(name, "").strip() for name in server.replaced_by)
    }


def settings_of(servers: Iterable[Server]) -> dict[str, str]:
    """The settings by which the system reaches these servers."""
    return {name: value for server in servers for name, value in server.settings.items()}


def start_all(servers: Iterable[Server]) -> None:
    """Starts the servers at the same time and returns when all are healthy.

    When one fails, or on Ctrl-C, all of them are stopped before the error is raised again.
    """
    servers = list(servers)
    for server in servers:
        server.install()
    with ThreadPoolExecutor() as pool:
        starting = [pool.submit(server.start) for server in servers]
        try:
            for start in starting:
                start.result()
        except BaseException:
            stop_all(servers)
            wait(starting)
            stop_all(servers)
            raise


def stop_all(servers: Iterable[Server]) -> None:
    """Stops the servers at the same time; a server that does not run is no error."""
    run_together(server.stop for server in servers)


def run_together(actions: Iterable[Callable[[], None]]) -> None:
    """Runs the actions at the same time and returns when the last has ended."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(action) for action in actions]:
            done.result()
