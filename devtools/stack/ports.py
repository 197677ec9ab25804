import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devtools.stack.errors import StackError

# Linux gives ports from 32768 on to outgoing connections, so a server needs a lower port.
_FREE_RANGE = range(20_000, 32_000)
_PORTS = range(1, 65_536)
_VARIABLES = {
    "web": "WEB_PORT",
    "sockets": "WS_PORT",
    "kafka": "KAFKA_PORT",
    "mongodb": "MONGO_PORT",
    "postgres": "POSTGRES_PORT",
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

    def require_free(self, names: Iterable[str]) -> None:
        """Raises PortTaken for the first of these ports on which a process listens."""
        for name in names:
            if not _is_free(getattr(self, name)):
                raise PortTaken(getattr(self, name), _VARIABLES[name])


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


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _port_in(env: Mapping[str, str], variable: str) -> int:
    text = env[variable].strip()
    if not (text.isascii() and text.isdecimal() and int(text) in _PORTS):
        raise StackError(f"{variable} must be a port number, not {text!r}")
    return int(text)
