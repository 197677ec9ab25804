"""Answers of the services that are kept: what identifies one, and what of it is kept."""

import hashlib

import msgspec
from msgspec import Struct


def digest_of(answer: Struct) -> str:
    """What identifies an answer, its order and its message."""
    return hashlib.sha256(msgspec.json.encode((type(answer).__name__, answer))).hexdigest()


def content_of(answer: Struct) -> str:
    """What the answer says about its order, as JSON in which control characters are escapes."""
    fields = msgspec.structs.asdict(answer)
    content = {name: value for name, value in fields.items() if name not in {"order_id", "origin"}}
    return msgspec.json.encode(content).decode()
