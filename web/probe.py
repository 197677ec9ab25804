"""The health check of a container: `python -m web.probe [ready|live]` asks the process on METRICS_PORT.

It is meant to run every few seconds: it loads neither Django nor the settings.
"""

import json
import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

CHECKS = ("ready", "live")
SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Print the state of the process in one sentence; the exit code is 0 where it is well, otherwise 1."""
    check, *others = arguments or ["ready"]
    if others or check not in CHECKS:
        print("usage: python -m web.probe [ready|live]", file=sys.stderr)  # noqa: T201 - a command
        return 2
    is_well, sentence = ask(check, os.environ.get("METRICS_PORT", "").strip())
    print(sentence)  # noqa: T201 - a command
    return 0 if is_well else 1


def ask(check: str, port: str) -> tuple[bool, str]:
    """Whether the process that serves this port is `ready` or `live`, and a sentence about it."""
    if not port.isdecimal() or port == "0":
        return False, "METRICS_PORT is not set: the process serves no health check"
    connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    try:
        connection.request("GET", f"/health/{check}")
        answer = connection.getresponse()
        return answer.status == HTTPStatus.OK, sentence_of(json.loads(answer.read()))
    except (OSError, HTTPException, ValueError) as error:
        return False, f"port {port} does not answer: {error}"
    finally:
        connection.close()


def sentence_of(health: dict[str, object]) -> str:
    """What the answer of a health check says, on one line."""
    waiting = health.get("waitingFor")
    reasons = f": {'; '.join(map(str, waiting))}" if isinstance(waiting, list) and waiting else ""
    return f"{health.get('worker', 'process')} is {health.get('status', 'not known')}{reasons}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
