"""The raw client of a mail server: smtplib on one connection."""

import smtplib
import time


def seconds_to_send(port: int, recipient: str, content: bytes, count: int) -> float:
    """Sends this mail so many times to a server of this machine; returns the seconds."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
        server.ehlo()
        started = time.monotonic()
        for _ in range(count):
            server.sendmail("bench@example.com", [recipient], content)
        return time.monotonic() - started
