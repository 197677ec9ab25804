"""Brings the databases and topics up to date before the processes start: `python -m devtools.stack.prepare`.

All in one process, because every start of Django costs a second.
"""

import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

_STEPS = (
    "check",
    "migrate",
    "createcachetable",
    "create_collections",
    "create_topics",
    "register_service_key",
)
_DEMO = "seed_demo"


def main(arguments: list[str]) -> None:
    """Runs the steps, with `--demo` the demo data too; ends with one sentence when a step fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    for step in (*_STEPS, _DEMO) if "--demo" in arguments else _STEPS:
        _run(step)


def _run(step: str) -> None:
    try:
        call_command(step, verbosity=0)
    except Exception as error:  # the user gets one line, and the command that shows the rest
        sys.exit(f"{error} (see: .venv/bin/python manage.py {step} --traceback)")


if __name__ == "__main__":
    main(sys.argv[1:])
