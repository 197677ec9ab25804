"""A broker that requires a password or a certificate, and an ACL for each action."""

from pathlib import Path

from devtools.stack.kafka import KafkaBroker
from devtools.stack.server import HOST
from tests.certificates import Authority

ADMIN, ADMIN_PASSWORD = "admin", "the-admins-password"
_LOGIN_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredBroker(KafkaBroker):
    """SASL_SSL with SCRAM-SHA-512 on one port, SSL with client certificates on another.

    The plain listener is the broker's own way to itself.
    """

    def __init__(self, directory: Path, ports: tuple[int, int, int], authority: Authority) -> None:
        plain, self._sasl_port, self._ssl_port = ports
        super().__init__(directory, plain)
        self.name = "secured kafka"
        self.authority = authority
        self._key_store = authority.issue_as_one_file("broker")

    @property
    def sasl_address(self) -> str:
        return f"{HOST}:{self._sasl_port}"

    @property
    def ssl_address(self) -> str:
        return f"{HOST}:{self._ssl_port}"

    def _format_options(self) -> list[str]:
        credentials = f"SCRAM-SHA-512=[name={ADMIN},password={ADMIN_PASSWORD}]"
        return [*super()._format_options(), f"--add-scram={credentials}"]

    def _settings_of_node(self) -> dict[str, object]:
        usual = super()._settings_of_node()
        listeners = f"SASL_SSL://{self.sasl_address},SSL://{self.ssl_address}"
        return usual | {
            "listeners": f"{usual['listeners']},{listeners}",
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}"
                for name, protocol in {
                    "CONTROLLER": "PLAINTEXT",
                    "PLAINTEXT": "PLAINTEXT",
                    "SASL_SSL": "SASL_SSL",
                    "SSL": "SSL",
                }.items()
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": _LOGIN_MODULE,
            # The broker delays the answer to a refused client by this time; the default of a second is slow.
            "connection.failed.authentication.delay.ms": 50,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._key_store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.certificate,
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.ssl.ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        }
