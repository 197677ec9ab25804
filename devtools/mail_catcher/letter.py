"""What is in a mail: its headers, its text and its HTML, read so that no mail can fail."""

from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default


@dataclass(frozen=True)
class Letter:
    """The parts of a mail that people and tests read."""

    headers: list[tuple[str, str]]
    text: str
    html: str

    def header(self, name: str) -> str:
        """The first header of this name; "" where there is none."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")


def read_letter(content: bytes) -> Letter:
    """Read a mail as it came."""
    message = message_from_bytes(content, policy=default)
    headers = [(name, _decoded(value)) for name, value in message.raw_items()]
    return Letter(headers, _body(message, "plain"), _body(message, "html"))


def readable(text: str) -> str:
    """The text without halves of characters, which stand for bytes that are not UTF-8."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _decoded(value: str) -> str:
    folded = readable(" ".join(str(value).split()))
    try:
        return str(make_header(decode_header(folded)))
    except (ValueError, LookupError):
        return folded


def _body(message: EmailMessage, subtype: str) -> str:
    try:
        part = message.get_body((subtype,))
        return "" if part is None else readable(str(part.get_content())).replace("\r\n", "\n")
    except Exception:  # any: the library raises many kinds for parts that are not well formed
        return ""
