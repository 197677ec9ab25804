"""The database of the tests, for other processes."""

import os
from urllib.parse import urlsplit

from django.db import connection


def database_url() -> str:
    """The URL of the database that Django creates for the tests, not that of the settings."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def in_test_database() -> dict[str, str]:
    """The environment of a process that uses the tests' database."""
    return os.environ | {"DATABASE_URL": database_url()}
