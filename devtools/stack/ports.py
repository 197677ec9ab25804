import errno
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from devtools.stack.errors import StackError

# Linux gives ports from 32768 on to outgoing connections, so a server needs a lower port.
_FREE_RANGE = range(20_000, 32_000)
_PORTS = range(1, 65_536)
_HOST = "127.0.0.1"
_EVERYWHERE = {"": _HOST, "0.0.0.0": _HOST, "::": "::1"}
_VARIABLES = {
    "web": "WEB_PORT",
    "sockets": "WS_PORT",
    "kafka": "KAFKA_PORT",
    "mongodb": "MONGO_PORT",
    "postgres": "POSTGRES_PORT",
    "payments": "PAYMENTS_PORT",
    "smtp": "SMTP_PORT",
    "mail": "MAIL_PORT",
}


class PortTaken(StackError):
    """Another process listens on a port that we need; the message names the setting to change."""

    def __init__(self, port: int, variable: str) -> None:
        self.port = port
        self.variable = variable
        super().__init__(f"port {port} is taken: set {variable} to a free one")


@dataclass(frozen=True)
class Ports:
    """The ports on which the servers and processes listen."""

    web: int = 8000
    sockets: int = 8001
    kafka: int = 9092
    mongodb: int = 27017
    postgres: int = 5432
    payments: int = 12111
    smtp: int = 1025
    mail: int = 8025

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Ports":
        """The standard ports, or those that the environment sets. Raises StackError on an invalid port."""
        chosen = {name: variable for name, variable in _VARIABLES.items() if env.get(variable, "").strip()}
        return cls(**{name: _port_in(env, variable) for name, variable in chosen.items()})

    @classmethod
    def free(cls) -> "Ports":
        """Ports on which no process listens now."""
        return cls(*free_ports(len(_VARIABLES)))

    def as_env(self) -> dict[str, str]:
        return {variable: str(getattr(self, name)) for name, variable in _VARIABLES.items()}

    def require_free(self, hosts: Mapping[str, str]) -> None:
        """Checks that a server can listen on each of these ports; `hosts` has the host for each name.

        Raises PortTaken for the first port on which a process listens, StackError for another obstacle.
        """
        names: dict[int, str] = {}
        for name, host in hosts.items():
            port, variable = getattr(self, name), _VARIABLES[name]
            if port in names:
                raise StackError(f"{names[port]} and {variable} are both {port}: give them different ports")
            names[port] = variable
            _require_free(host, port, variable)


_handed_out: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Different ports on which no process listens now.

    A port is returned once in a process: the server that it is meant for may start much later.
    """
    candidates = random.sample(_FREE_RANGE, k=len(_FREE_RANGE))
    free = (port for port in candidates if port not in _handed_out and _is_free(port))
    ports = [next(free) for _ in range(count)]
    _handed_out.update(ports)
    return ports


def reachable(host: str) -> str:
    """Where a client on this machine reaches a server that listens on this host."""
    return _EVERYWHERE.get(host, host)


def in_url(host: str) -> str:
    """The host as a URL writes it."""
    return f"[{host}]" if ":" in host else host


def _require_free(host: str, port: int, variable: str) -> None:
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port, variable) from None
        if error.errno == errno.EACCES:
            raise StackError(
                f"this user may not listen on port {port}: set {variable} to one above 1023"
            ) from None
        raise StackError(f"WEB_HOST must be an address of this machine, and {host!r} is none") from None


def _is_free(port: int) -> bool:
    try:
        _bind(_HOST, port)
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> None:
    """Listens for a moment. Raises OSError."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _port_in(env: Mapping[str, str], variable: str) -> int:
    text = env[variable].strip()
    if not (text.isascii() and text.isdecimal() and int(text) in _PORTS):
        raise StackError(f"{variable} must be a port number, not {text!r}")
    return int(text)
