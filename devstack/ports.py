import random
import socket

# Linux hands out ports from 32768 on to outgoing connections, so a server's own port has to lie below.
_FREE_RANGE = range(20_000, 32_000)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    candidates = random.sample(_FREE_RANGE, k=len(_FREE_RANGE))
    free = (port for port in candidates if is_free(port))
    return [next(free) for _ in range(count)]


def free_port() -> int:
    return free_ports(1)[0]
