from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from devtools.stack.server import HOST

_SECONDS = 1.0


def is_healthy(port: int) -> bool:
    """Whether a server of this machine says at `/health` that it works."""
    connection = HTTPConnection(HOST, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
