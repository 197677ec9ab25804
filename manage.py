#!/usr/bin/env python
"""Django's command line. While ./start runs, its settings are found by themselves (see config/env.py)."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run one management command; a setting that cannot be used ends it with one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"stockbridge: {error}")


if __name__ == "__main__":
    main()
