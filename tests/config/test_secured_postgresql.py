"""PostgreSQL with TLS and passwords, which the URL alone configures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import OperationalError, connect

from devtools.stack.ports import free_ports
from devtools.stack.postgres import PostgresServer
from tests.certificates import Authority
from tests.config.tls_proxy import TlsProxy
from tests.python_process import run_python

USER, PASSWORD = "stockbridge", "the-databases-password"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("secured-postgres"), free_ports(1)[0])
    try:
        server.start()
        with connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE USER {USER} PASSWORD '{PASSWORD}'")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls_proxy(postgres: PostgresServer, authority: Authority) -> Iterator[TlsProxy]:
    with TlsProxy(free_ports(1)[0], postgres.port, authority.issue_as_one_file("postgres")) as tls_proxy:
        yield tls_proxy


def test_postgresql_is_reached_by_password_and_checked_tls(
    postgres: PostgresServer, tls_proxy: TlsProxy, authority: Authority, tmp_path: Path
) -> None:
    url = f"postgres://{USER}:{PASSWORD}@{tls_proxy.address}/{postgres.database}?sslmode=verify-full&sslrootcert="
    sound, wrong = (
        run_python(
            "-c",
            "import django; django.setup(); from django.db import connection; connection.ensure_connection();"
            "print(connection.connection.info.user, connection.connection.pgconn.ssl_in_use)",
            DATABASE_URL=f"{url}{trusted.certificate}",
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        for trusted in (authority, Authority(tmp_path, "another"))
    )
    assert sound.stdout == f"{USER} True\n", sound.stderr
    assert wrong.stdout == ""
    assert "certificate verify failed" in wrong.stderr


def test_without_password_and_checked_tls_there_is_no_postgresql(
    postgres: PostgresServer, tls_proxy: TlsProxy, authority: Authority, tmp_path: Path
) -> None:
    right, other = authority.certificate, Authority(tmp_path, "another").certificate
    for login, address, trusted, reason in (
        (f"{USER}:another", tls_proxy.address, right, "password authentication failed"),
        (f"nobody:{PASSWORD}", tls_proxy.address, right, "password authentication failed"),
        (f"{USER}:{PASSWORD}", postgres.address, right, "server does not support SSL"),
        (f"{USER}:{PASSWORD}", tls_proxy.address, other, "certificate verify failed"),
    ):
        options = f"sslmode=verify-full&sslrootcert={trusted}"
        with pytest.raises(OperationalError, match=reason):
            connect(f"postgres://{login}@{address}/{postgres.database}?{options}")
