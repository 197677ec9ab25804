"""The disks and certificates that the lag exporter measures."""

import re

from django.core.exceptions import ImproperlyConfigured

from config.settings.env import is_host_and_port, words

_DISK = re.compile(r"([a-z0-9][a-z0-9-]*)=(/.*)")


def watched_disks(name: str) -> dict[str, str]:
    """A folder on each disk, by the disk's name. Raises ImproperlyConfigured with the first that is none."""
    found = [(each, _DISK.fullmatch(each)) for each in words(name, ())]
    for each, match in found:
        if match is None:
            raise ImproperlyConfigured(
                f"{name} must hold disks such as kafka=/var/lib/kafka, a name of small letters, digits and "
                f"hyphens and a folder, and {each!r} is none."
            )
    return {match[1]: match[2] for _, match in found if match}


def watched_certificates(name: str) -> list[str]:
    """Addresses that show certificates. Raises ImproperlyConfigured with the first that is none."""
    found = words(name, ())
    for each in found:
        if not is_host_and_port(each):
            raise ImproperlyConfigured(
                f"{name} must hold addresses such as shop.example.com:443, and {each!r} is none."
            )
    return found
