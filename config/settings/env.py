"""Settings from the environment, from files with secrets, and from the file of a running stack.

`./start` writes every setting to `$STACK_DIR/env` (`.stack/env`); a variable of the real environment
wins over the file. A value means what it says: nothing in it is replaced. An empty value is no value.
"""

import json
import math
import os
import re
import shlex
import sys
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from environ import Env

from foundation.currencies import is_currency
from foundation.rates import Rate, read_rate
from foundation.secret_files import SecretFileError, read_secret_files
from web.socket_address import SOCKETS_PATH

BASE_DIR = Path(__file__).resolve().parents[2]
STACK_DIR = Path(os.environ.get("STACK_DIR") or BASE_DIR / ".stack")

_STACK_FILE = STACK_DIR / "env"
_NEEDED = ("SECRET_KEY", "DATABASE_URL", "MONGODB_URI", "KAFKA_BROKERS")
SLOWEST_MAIL_SECONDS = 5
"""A worker waits for its turn between mails; it must not for longer when it is asked to stop."""
_WORDS = {
    **dict.fromkeys(("true", "on", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "off", "no", "n", "0"), False),
}
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_HOST = r"(\[[0-9a-fA-F:.]+\]|[^][\s:/,@]+)"
_HOST_AND_PORT = re.compile(rf"{_HOST}:[0-9]{{1,5}}")
_ESCAPES = (
    "in its user and password the characters / ? # [ ] @ : and % must be written %2F %3F %23 %5B %5D %40 %3A "
    "and %25."
)
# What stands between "//" and the path of a URL: user and password, and the hosts.
_LOGIN = r"([^][@:%]|%[0-9a-fA-F]{2})*"
_AUTHORITY = re.compile(rf"({_LOGIN}(:{_LOGIN})?@)?({_HOST}?(:[0-9]{{1,5}})?,)*{_HOST}?(:[0-9]{{1,5}})?")

LAST_PORT = 65_535


def _read_secrets() -> None:
    try:
        read_secret_files()
    except SecretFileError as error:
        raise ImproperlyConfigured(str(error)) from None


def _read_stack_file() -> None:
    try:
        trusted = {0, os.geteuid(), BASE_DIR.stat().st_uid}
        if _STACK_FILE.stat().st_uid not in trusted:
            raise ImproperlyConfigured(f"{_STACK_FILE} belongs to another user, so it is not read.")
        lines = shlex.split(_STACK_FILE.read_text(), comments=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{_STACK_FILE} cannot be read: {error}.") from None
    found = dict(line.partition("=")[::2] for line in lines)
    missing = {name: value for name, value in found.items() if not os.environ.get(name)}
    os.environ.update(missing)
    if not missing.keys().isdisjoint(_NEEDED) and not _stack_runs():
        print(  # noqa: T201 - there is no log yet
            f"No ./start runs on {STACK_DIR}, whose settings are used: set STACK_DIR if one runs elsewhere.",
            file=sys.stderr,
        )


def _stack_runs() -> bool:
    try:
        os.kill(json.loads((STACK_DIR / "state").read_text())["pid"], 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def text(name: str, default: str = "") -> str:
    """The value as it is, blanks included."""
    return os.environ.get(name) or default


def _word(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: tuple[str, ...]) -> list[str]:
    """Values separated by commas."""
    return [word for part in _word(name).split(",") if (word := part.strip())] or list(default)


def flag(name: str, *, default: bool) -> bool:
    """On or off. Raises ImproperlyConfigured on a word that is neither."""
    value = _word(name, str(default)).lower()
    if value not in _WORDS:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return _WORDS[value]


def header_value(name: str) -> str:
    """A secret that clients send in a header. Raises ImproperlyConfigured on blanks, which a header loses."""
    value = text(name)
    if value != value.strip():
        raise ImproperlyConfigured(f"{name} must not begin or end with a blank.")
    return value


def origin(name: str) -> str:
    """The scheme, host and port of a web site; "" where it is not set. Raises ImproperlyConfigured."""
    value = _word(name).rstrip("/")
    if value and not re.fullmatch(r"https?://[^/?#\s]+", value):
        raise ImproperlyConfigured(
            f"{name} must be an origin such as https://shop.example.com, not {value!r}."
        )
    return value


def socket_server(name: str) -> str:
    """Where pages find the sockets, without the path; "" where it is not set. Raises ImproperlyConfigured."""
    value = _word(name).rstrip("/").removesuffix(SOCKETS_PATH.rstrip("/"))
    if value and not re.fullmatch(rf"wss?://{_HOST}(:[0-9]{{1,5}})?", value):
        raise ImproperlyConfigured(
            f"{name} must be an address such as wss://shop.example.com, not {_word(name)!r}."
        )
    return value


def mail_server(name: str, value: str) -> dict[str, object]:
    """Django's settings of the mail server in the URL `value`, as django-environ reads it; none if empty.

    Raises ImproperlyConfigured where it cannot be read, with a sentence that does not hold the password.
    """
    if not value:
        return {}
    try:
        found: dict[str, object] = Env.email_url_config(value)
    except (ImproperlyConfigured, ValueError):
        found = {}
    is_smtp = value.startswith("smtp")
    if not found or (is_smtp and not _is_readable(value)):
        raise ImproperlyConfigured(
            f"{name} cannot be read: it must be like smtp+tls://user:password@mail.example.com:587, "
            f"and {_ESCAPES}"
        )
    if is_smtp and not found["EMAIL_HOST"]:
        raise ImproperlyConfigured(f"{name} must name a mail server, as smtp://mail.example.com:25 does.")
    return found


def networks(name: str, default: tuple[str, ...]) -> list[str]:
    """Addresses and networks. Raises ImproperlyConfigured with the first that is neither."""
    found = words(name, default)
    for each in found:
        try:
            ip_network(each)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must hold addresses and networks: {error}.") from None
    return found


def secret_key(development: str) -> str:
    """SECRET_KEY; `development` is its default with DEBUG, and refused without.

    Raises ImproperlyConfigured.
    """
    value = text("SECRET_KEY", development if DEBUG else "")
    if not DEBUG and value in {"", development}:
        raise _missing("SECRET_KEY must be set to a long random value of your own when DEBUG is off.")
    return value


def secret_key_fallbacks(development: str) -> list[str]:
    """The keys beside SECRET_KEY whose signatures are valid. Raises ImproperlyConfigured on `development`."""
    found = words("SECRET_KEY_FALLBACKS", ())
    if not DEBUG and development in found:
        raise ImproperlyConfigured("SECRET_KEY_FALLBACKS must hold no key that others know.")
    return found


def mail_address(name: str, default: str) -> str:
    """The sender of mails, an address with or without a name. Raises ImproperlyConfigured."""
    value = _word(name, default)
    try:
        validate_email(parseaddr(value)[1] if value.isprintable() else "")
    except ValidationError:
        raise ImproperlyConfigured(
            f"{name} must be an address such as Stockbridge <orders@example.com>, not {value!r}."
        ) from None
    return value


def mail_domain(url: str) -> str:
    """The domain of a site's mail address; localhost where the site has no name."""
    host = urlsplit(url).hostname or ""
    return host if re.search("[a-z]", host) and "." in host else "localhost"


def mail_rate(name: str) -> Rate | None:
    """How many mails one worker sends, at least one in 5 seconds; None for no limit.

    Raises ImproperlyConfigured.
    """
    found = rate(name, "off")
    if found and found.seconds > SLOWEST_MAIL_SECONDS * found.limit:
        raise ImproperlyConfigured(f"{name} must let a mail through every {SLOWEST_MAIL_SECONDS} seconds.")
    return found


def server(name: str, what: str, development: str) -> str:
    """Where a server is; only development may leave it out.

    Raises ImproperlyConfigured naming the setting where it is missing.
    """
    value = _word(name, development if DEBUG else "")
    if not value:
        raise _missing(f"{name} is not set: it must hold {what}.")
    return value


def server_url(name: str, schemes: tuple[str, ...], development: str) -> str:
    """The same for a URL with one of these schemes. Raises ImproperlyConfigured on any other."""
    value = server(name, f"a URL such as {development}", development)
    scheme, _, rest = value.partition("://")
    if scheme not in schemes or not rest:
        raise ImproperlyConfigured(f"{name} must be a URL such as {development}.")
    if not _is_readable(value) or "#" in rest:
        raise ImproperlyConfigured(f"{name} cannot be read: it must be like {development}, and {_ESCAPES}")
    if not urlsplit(value).path.strip("/"):
        raise ImproperlyConfigured(f"{name} must hold the name of a database, as {development} does.")
    return value


def brokers(name: str, development: str) -> str:
    """Kafka's brokers. Raises ImproperlyConfigured with the first that is not host:port."""
    what = "a comma-separated list of host:port"
    found = [part.strip() for part in server(name, what, development).split(",") if part.strip()]
    for broker in found:
        if not is_host_and_port(broker):
            raise ImproperlyConfigured(f"{name} must be {what}, and {broker!r} is none.")
    return ",".join(found)


def is_host_and_port(value: str) -> bool:
    """Whether it is a host and a port with a colon between them."""
    return bool(_HOST_AND_PORT.fullmatch(value))


def http_addresses(name: str) -> str:
    """Addresses by HTTP, separated by commas; "" where it is not set.

    Raises ImproperlyConfigured, with a sentence that does not hold a password.
    """
    found = words(name, ())
    for each in found:
        scheme, _, rest = each.partition("://")
        if scheme not in ("http", "https") or not rest or not _is_readable(each):
            raise ImproperlyConfigured(
                f"{name} must be an address such as https://registry.example.com:8081, or several separated "
                f"by commas; {_ESCAPES}"
            )
    return ",".join(found)


def _is_readable(url: str) -> bool:
    """Whether user, password, hosts and ports of a URL can be told apart."""
    return bool(_AUTHORITY.fullmatch(re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0]))


def whole_number(name: str, default: int, minimum: int = 1) -> int:
    """A whole-number setting. Raises ImproperlyConfigured where it is no number or below the minimum."""
    value = _word(name, str(default))
    if not _WHOLE_NUMBER.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")
    if int(value) < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {int(value)}.")
    return int(value)


def port_or_none(name: str) -> int:
    """The number of a port; 0, the default, for none. Raises ImproperlyConfigured where it is no port."""
    value = whole_number(name, 0, minimum=0)
    if value > LAST_PORT:
        raise ImproperlyConfigured(f"{name} must be at most {LAST_PORT}, not {value}.")
    return value


def seconds(name: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Times in seconds. Raises ImproperlyConfigured with the first that is none."""
    return tuple(_seconds(name, each) for each in words(name, tuple(map(str, default))))


def _seconds(name: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise ImproperlyConfigured(f"{name} must be seconds separated by commas, and {value!r} is none.")
    return found


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """A setting with a fixed set of values. Raises ImproperlyConfigured on any other."""
    value = _word(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def currency(name: str, default: str) -> str:
    """A currency of ISO 4217. Raises ImproperlyConfigured on any other text."""
    value = _word(name, default)
    if not is_currency(value):
        raise ImproperlyConfigured(f"{name} must be a currency of ISO 4217 such as {default}, not {value!r}.")
    return value


def rate(name: str, default: str) -> Rate | None:
    """How often something may be done, such as `30/minute`; None where it is `off`.

    Raises ImproperlyConfigured on anything else.
    """
    value = _word(name, default)
    try:
        return None if value == "off" else read_rate(value)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a rate such as 30/minute, or off; not {value!r}."
        ) from None


def _missing(sentence: str) -> ImproperlyConfigured:
    """The error about one setting; or, where all are missing, about the stack that would have set them."""
    if any(os.environ.get(name) for name in _NEEDED):
        return ImproperlyConfigured(sentence)
    *others, last = _NEEDED
    return ImproperlyConfigured(
        f"No running stack found under {STACK_DIR}: set STACK_DIR to the folder that ./start uses, "
        f"or set {', '.join(others)} and {last} (docs/settings.md)."
    )


_read_secrets()
_read_stack_file()
DEBUG = flag("DEBUG", default=False)
