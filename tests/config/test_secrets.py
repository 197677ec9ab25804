"""Secrets in failing requests appear in no log line, error, metric or row."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

PLANTED = {
    "password": "planted-password-1",
    "wrong password": "planted-password-2",
    "forged token": "planted.token.3",
    "refresh token": "planted.refresh.4",
    "api key": "plantedk.5555555555555555",
    "monitor token": "planted-monitor-token-6666666666666",
    "secret key": "planted-secret-key-77777777777777777777777777777777777",
    "mongodb password": "planted-mongodb-8",
    "session": "plantedsession9999999999999999999",
}

FAILING_REQUESTS = "tests.config.failing_requests"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_is_printed_or_stored(log_format: str, tmp_path: Path) -> None:
    database = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "MONGODB_URI": f"mongodb://app:{PLANTED['mongodb password']}@127.0.0.1:9/shop",
        "SECRET_KEY": PLANTED["secret key"],
        "SERVICE_API_KEY": PLANTED["api key"],
        "MONITOR_TOKEN": PLANTED["monitor token"],
        "LOG_FORMAT": log_format,
        "LOGIN_FAILURES": "2",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
    }
    issued = tmp_path / "issued.json"
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(PLANTED))
    done = subprocess.run(
        [sys.executable, "-m", FAILING_REQUESTS, str(planted), str(issued)],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    output = done.stdout + done.stderr
    for words in ("an exception at", "locked_out", "catalogue_unavailable", "request"):
        assert words in output, "the program ended too early"
    tokens = json.loads(issued.read_text())
    secrets = PLANTED | {"access": tokens["access"], "refresh": tokens["refresh"]}
    assert [name for name, secret in secrets.items() if secret in output + stored()] == []


def stored() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows.append(cursor.fetchall())
    return str(rows)
