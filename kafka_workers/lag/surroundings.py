"""The disks of the servers, and the certificates that clients are shown, measured beside the lag.

A thread of its own does it, so that these metrics go on while Kafka is away: its full disk may be the reason.
"""

import shutil
import socket
import ssl
import threading
import time
from datetime import datetime

import structlog
from cryptography import x509
from django.conf import settings

from foundation.lasting_trouble import LastingTrouble
from foundation.metrics import CERTIFICATE_EXPIRES, DISK_FREE_BYTES, DISK_SIZE_BYTES

DISK_EVERY_SECONDS = 10.0
CERTIFICATE_EVERY_SECONDS = 3600.0
CERTIFICATE_AGAIN_SECONDS = 60.0
"""After a certificate could not be seen."""
_ANSWER_SECONDS = 5.0

log = structlog.get_logger(__name__)


def watch_surroundings(stop: threading.Event) -> None:
    """Measure the disks and certificates that the settings name, until `stop` is set."""
    if settings.WATCHED_DISKS or settings.WATCHED_CERTIFICATES:
        threading.Thread(target=_watch, args=[stop], name="surroundings", daemon=True).start()


def _watch(stop: threading.Event) -> None:
    measured: list[Disk | Certificate] = [
        *(Disk(name, folder) for name, folder in settings.WATCHED_DISKS.items()),
        *(Certificate(endpoint) for endpoint in settings.WATCHED_CERTIFICATES),
    ]
    while not stop.is_set():
        for each in measured:
            each.measure()
        stop.wait(DISK_EVERY_SECONDS)


class Disk:
    """The disk on which a folder is."""

    def __init__(self, name: str, folder: str) -> None:
        self._name = name
        self._folder = folder
        self._trouble = LastingTrouble(
            log, begins="a disk cannot be measured", ends="a disk can be measured again"
        )

    def measure(self) -> None:
        """Set its metrics. That it cannot be measured is logged when it begins and when it is over."""
        try:
            found = shutil.disk_usage(self._folder)
        except OSError as error:
            self._trouble.meet(disk=self._name, error=str(error))
        else:
            self._trouble.end(disk=self._name)
            DISK_FREE_BYTES.labels(self._name).set(found.free)
            # Not found.total: what is kept for root is never free, so a full disk would not look full.
            DISK_SIZE_BYTES.labels(self._name).set(found.free + found.used)


class Certificate:
    """The certificate that a server shows at an address."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._due = 0.0
        self._trouble = LastingTrouble(
            log, begins="a certificate cannot be seen", ends="a certificate can be seen again"
        )

    def measure(self) -> None:
        """Set its metric when it is due; where it cannot be seen, it is tried again.

        That is logged when it begins and when it is over.
        """
        if time.monotonic() < self._due:
            return
        try:
            end = end_of_certificate(self._endpoint)
        except (OSError, ValueError) as error:
            self._trouble.meet(endpoint=self._endpoint, error=str(error))
            self._due = time.monotonic() + CERTIFICATE_AGAIN_SECONDS
        else:
            self._trouble.end(endpoint=self._endpoint)
            CERTIFICATE_EXPIRES.labels(self._endpoint).set(end.timestamp())
            self._due = time.monotonic() + CERTIFICATE_EVERY_SECONDS


def end_of_certificate(endpoint: str) -> datetime:
    """When the certificate ends that is shown at host:port, trusted or not. Raises OSError, ValueError."""
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]")
    # Nothing is sent, and the end of a certificate must be seen even if nobody would trust it.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("the server shows no certificate")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc
