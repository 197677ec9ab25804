"""The normal form of mail addresses: addresses with the same normal form name the same mailbox.

The local part in NFKC and case folded, as nearly every mail server takes it; the domain as it stands in the
DNS (IDNA), in small letters.
"""

import re
import unicodedata

MAX_MAIL_ADDRESS = 254
"""Characters of a mail address (RFC 5321)."""
MAX_LOCAL_PART = 64
MAX_NORMAL_FORM = 320

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")


class UnsoundMailAddress(Exception):
    """A mail address that no new account may have; `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def shown_form(address: str) -> str:
    """The address as it is stored and shown: without white space around it, its domain in small letters."""
    local_part, at, domain = address.strip().rpartition("@")
    return f"{local_part}{at}{unicodedata.normalize('NFKC', domain).lower()}"


def normal_form(address: str) -> str:
    """The form in which addresses are compared and counted; cut where it would be too long to be stored."""
    local_part, at, domain = unicodedata.normalize("NFKC", address[:MAX_NORMAL_FORM]).strip().rpartition("@")
    return f"{local_part.casefold()}{at}{_name_in_dns(domain)}"[:MAX_NORMAL_FORM]


def require_sound_new(address: str) -> None:
    """Raise UnsoundMailAddress where a new address, as it is shown, is too long or not a plain one.

    Local parts that are quoted or not ASCII are rare, many servers refuse them, and letters outside ASCII
    look like others. A domain with characters that its name in the DNS loses looks like what it is not.
    """
    local_part, _, domain = address.rpartition("@")
    if len(address) > MAX_MAIL_ADDRESS:
        sentence = f"An e-mail address has at most {MAX_MAIL_ADDRESS} characters."
        raise UnsoundMailAddress("max_length", sentence)
    if len(local_part) > MAX_LOCAL_PART:
        sentence = f"An e-mail address has at most {MAX_LOCAL_PART} characters before its @."
        raise UnsoundMailAddress("max_length", sentence)
    if not _LOCAL_PART.fullmatch(local_part):
        sentence = "An e-mail address has only ASCII letters, digits and signs before its @, without quotes."
        raise UnsoundMailAddress("invalid", sentence)
    if not _keeps_its_name(domain):
        sentence = "The domain of this e-mail address has characters that its name in the DNS has not."
        raise UnsoundMailAddress("invalid", sentence)


def _keeps_its_name(domain: str) -> bool:
    try:
        return domain.isascii() or domain.encode("idna").decode("idna") == domain
    except UnicodeError:
        return False


def _name_in_dns(domain: str) -> str:
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return domain.casefold()
