"""A certificate authority for the tests, and the certificates that it signs."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from devtools.stack.server import HOST

_DAY = timedelta(days=1)


class Authority:
    """Signs certificates for this machine; keeps all files in one directory."""

    def __init__(self, directory: Path, name: str = "test authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = directory / "ca.pem"
        """The file with the authority's own certificate, for clients that trust it."""
        self.certificate.write_bytes(self._sign(self._subject, self._key, is_authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Issues a certificate with this common name, for a server or a client; returns it and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, key_path = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        certificate.write_bytes(self._sign(subject, key))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key_path

    def issue_as_one_file(self, name: str) -> Path:
        """Issues a certificate and key in one file, as Kafka and MongoDB need it."""
        certificate, key = self.issue(name)
        both = self._directory / f"{name}.both.pem"
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        return both

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool = False
    ) -> bytes:
        now = datetime.now(UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)
