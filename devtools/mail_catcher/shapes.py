"""Mails as JSON, for tests and programs."""

from datetime import UTC, datetime
from typing import Any

from devtools.mail_catcher.letter import read_letter
from devtools.mail_catcher.mails import Summary


def as_json(mail: Summary, content: bytes | None = None) -> dict[str, Any]:
    """A mail; with its content its text and HTML too. Of headers with the same name the first counts."""
    found = {
        "id": mail.number,
        "receivedAt": datetime.fromtimestamp(mail.received_at, UTC).isoformat(),
        "from": mail.sender,
        "to": mail.recipients,
        "subject": mail.subject,
        "headers": dict(reversed(mail.headers)),
    }
    if content is None:
        return found
    letter = read_letter(content)
    return found | {"text": letter.text, "html": letter.html}
