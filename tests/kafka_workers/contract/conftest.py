"""One secured broker for all tests, and a group on it whose worker has a user of its own."""

import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka.admin import (
    AclBindingFilter,
)
from django.core.management import call_command
from django.test import override_settings
from pytest_django import Settings

from devtools.driver.kafka import KafkaClient
from devtools.stack.ports import free_ports
from kafka_workers.contract import principals
from kafka_workers.runtime.broker.access import (
    AccessControl,
    Operation,
    Permission,
    ResourceKind,
    acl_of,
)
from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS
from tests.certificates import Authority
from tests.kafka_workers.contract.secured_broker import ADMIN, ADMIN_PASSWORD, SecuredBroker
from tests.kafka_workers.runtime.workbench import Bench

PASSWORD = "the workers' pass=word #1"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """A broker with the users and ACLs of the command, and topics created by their own user."""
    directory = tmp_path_factory.mktemp("secured")
    first, second, third = free_ports(3)
    broker = SecuredBroker(directory / "kafka", (first, second, third), Authority(directory / "authority"))
    broker.install()
    try:
        broker.start()
        with override_settings(**access(broker, ADMIN, ADMIN_PASSWORD)):
            call_command("kafka_access", "--passwords", str(password_file(directory)), verbosity=0)
        with override_settings(**access(broker, principals.TOPICS)):
            call_command("create_topics", verbosity=0)
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def stop() -> Iterator[Event]:
    """Set when the test is over: ends what it has left running."""
    stop = Event()
    yield stop
    stop.set()


def password_file(directory: Path) -> Path:
    path = directory / "passwords"
    path.write_text("".join(f"{user}={PASSWORD}\n" for user in principals.PURPOSES))
    return path


def access(broker: SecuredBroker, user: str, password: str = PASSWORD) -> dict[str, str]:
    """The settings of a process that works as this user."""
    return {
        "KAFKA_BROKERS": broker.sasl_address,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD": password,
        "KAFKA_SSL_CA": str(broker.authority.certificate),
        "KAFKA_SSL_CERTIFICATE": "",
        "KAFKA_SSL_KEY": "",
    }


class Administrator(AccessControl):
    """An administrator that also revokes permissions."""

    def revoke(self, permissions: Iterable[Permission]) -> None:
        filters = [AclBindingFilter(*acl_of(permission)) for permission in permissions]
        for future in self._admin.delete_acls(filters, request_timeout=ANSWER_SECONDS).values():
            assert len(future.result()) == 1


class WorkerAccess:
    """The administrator of the cluster, who changes the user of one worker for a test."""

    def __init__(self, broker: SecuredBroker, bench: Bench, settings: Settings) -> None:
        self.broker = broker
        self.bench = bench
        self.user = f"worker-{uuid.uuid4().hex[:8]}"
        self._settings = settings
        # Created once, because new clients of the worker must not get the settings of the administrator.
        with override_settings(**access(broker, ADMIN, ADMIN_PASSWORD)):
            self._control = Administrator()

    @property
    def needs(self) -> list[Permission]:
        """The ACLs that the command would grant to the worker of the bench's group and to its answers."""
        consuming = principals.consumer_permissions(self.user, self.bench.group, [self.bench.topic])
        return [
            *consuming,
            Permission(self.user, ResourceKind.TOPIC, self.bench.answer_topic, Operation.WRITE),
        ]

    def use(self, settings: dict[str, str]) -> None:
        for name, value in settings.items():
            setattr(self._settings, name, value)

    def log_in(self, user: str | None = None, password: str = PASSWORD) -> None:
        """New clients work as this user from now on."""
        self.use(access(self.broker, user or self.user, password))

    def log_in_by_certificate(self, certificate: Path, key: Path) -> None:
        """New clients use this certificate from now on."""
        self.use(
            {
                **access(self.broker, ""),
                "KAFKA_BROKERS": self.broker.ssl_address,
                "KAFKA_SECURITY_PROTOCOL": "SSL",
                "KAFKA_SASL_MECHANISM": "",
                "KAFKA_SASL_PASSWORD": "",
                "KAFKA_SSL_CERTIFICATE": str(certificate),
                "KAFKA_SSL_KEY": str(key),
            }
        )

    def grant(self, *permissions: Permission) -> None:
        self._control.grant(permissions)

    def revoke(self, *permissions: Permission) -> None:
        self._control.revoke(permissions)

    def set_password(self, password: str = PASSWORD) -> None:
        self._control.set_passwords({self.user: password})


@pytest.fixture
def worker_access(broker: SecuredBroker, settings: Settings) -> Iterator[WorkerAccess]:
    """A group with its topics, and a user for its worker with a password and without ACLs."""
    settings.RETRY_DELAYS_SECONDS = (0.2, 0.3, 0.4)
    settings.KAFKA_BROKERS = broker.url
    bench = Bench(KafkaClient(broker.url))
    bench.create_topics()
    worker_access = WorkerAccess(broker, bench, settings)
    worker_access.set_password()
    worker_access.log_in()
    yield worker_access
    bench.close()
