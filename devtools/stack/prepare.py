"""Brings the databases and topics up to date before the processes start: `python -m devtools.stack.prepare`.

All in one process, because every start of Django costs a second. A database that is away is waited for, since
no order can be taken without it. Orders need no topics: these come last, with an exit code of their own.
"""

import os
import sys
import time
from collections.abc import Iterator

import django
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pymongo.errors import ConnectionFailure

WAITING = "waiting for "
"""How a line begins that tells the user what is waited for."""
TOPICS_FAILED = 75
"""The exit code when all but the topics is ready."""

_STATIC = "collect_changed_static"
_DATABASES = ("check", _STATIC, "migrate", "create_collections", "register_service_key")
_DEMO = "seed_demo"
_TOPICS = "create_topics"
_RETRY_SECONDS = 1.0
_TELL_SECONDS = 60.0
# What PostgreSQL says while it cannot answer yet; any other refusal lasts.
_PASSING = ("starting up", "shutting down", "recovery", "too many clients", "connection slots")


def main(arguments: list[str]) -> None:
    """Runs the steps; ends with one sentence when a step fails.

    `--demo` loads the demo data too, `--topics` creates the topics alone, `--static-collected` leaves the
    static files as they are: an image has them.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    if "--topics" not in arguments:
        for step in _steps(arguments):
            _run_when_reachable(step)
    _create_topics()


def _steps(arguments: list[str]) -> Iterator[str]:
    for step in _DATABASES:
        if step != _STATIC or "--static-collected" not in arguments:
            yield step
    if "--demo" in arguments:
        yield _DEMO


def _run_when_reachable(step: str) -> None:
    told = -_TELL_SECONDS
    while True:
        try:
            call_command(step, verbosity=0)
        except Exception as error:  # the user gets one line, and the command that shows the rest
            if not (away := _what_is_away(error)):
                sys.exit(_sentence(step, error))
            if time.monotonic() - told >= _TELL_SECONDS:
                told = time.monotonic()
                print(f"{WAITING}{away}: {_first_line(error)}", flush=True)
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _create_topics() -> None:
    try:
        call_command(_TOPICS, verbosity=0)
    except Exception as error:  # as above
        print(_sentence(_TOPICS, error), flush=True)
        sys.exit(TOPICS_FAILED)


def _what_is_away(error: Exception) -> str:
    """The server that could not be reached; empty if the error has another reason."""
    for cause in _causes(error):
        if isinstance(cause, psycopg.OperationalError) and _is_passing(str(cause)):
            return "PostgreSQL (DATABASE_URL)"
        if isinstance(cause, ConnectionFailure):
            return "MongoDB (MONGODB_URI)"
    return ""


def _is_passing(text: str) -> bool:
    return "FATAL" not in text or any(words in text for words in _PASSING)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _sentence(step: str, error: Exception) -> str:
    return f"{error} (see: .venv/bin/python manage.py {step} --traceback)"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


if __name__ == "__main__":
    main(sys.argv[1:])
