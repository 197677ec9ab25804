from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from devtools.stack.server import HOST


def is_healthy(port: int, path: str = "/health", *, seconds: float = 1.0) -> bool:
    """Whether a server of this machine says at this path, within this time, that it works."""
    connection = HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
