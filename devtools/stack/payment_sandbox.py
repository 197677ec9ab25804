"""The payment sandbox as an embedded server: a payment gateway of this machine, which takes no money."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from devtools.stack.errors import StackError
from devtools.stack.http_health import is_healthy
from devtools.stack.private_files import kept_secret
from devtools.stack.server import ServerProcess

_SECRETS = {"STRIPE_SECRET_KEY": "sk_test_", "STRIPE_WEBHOOK_SECRET": "whsec_"}
"""The settings that are secrets, with the words by which Stripe's begin."""


def secrets_in(directory: Path) -> dict[str, str]:
    """The secrets that are kept there, by their settings; random ones are created the first time."""
    return {
        setting: prefix + kept_secret(directory / setting.lower()) for setting, prefix in _SECRETS.items()
    }


def secrets_for(caller: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Secrets for a gateway on the caller's machine, such as Stripe's mock server, which has none itself.

    Empty where the caller has no gateway, or has a secret. Raises StackError where the gateway is another's.
    """
    address = caller.get(PaymentSandbox.setting, "").strip()
    if not address or any(caller.get(setting, "").strip() for setting in _SECRETS):
        return {}
    if address.startswith("https:"):
        raise StackError(f"{' and '.join(_SECRETS)} must be set where {PaymentSandbox.setting} is {address}")
    return secrets_in(directory)


class PaymentSandbox(ServerProcess):
    """The sandbox with its books; it sends its webhooks to `webhook_url`.

    Its secrets have the form of Stripe's, and are kept beside the books.
    """

    name = "sandbox"
    setting = "STRIPE_API_BASE"

    def __init__(self, directory: Path, port: int, *, webhook_url: str) -> None:
        super().__init__(directory, port)
        self._webhook_url = webhook_url

    @property
    def listens(self) -> tuple[str, ...]:
        return ("payments",)

    @property
    def replaced_by(self) -> tuple[str, ...]:
        return (self.setting, *_SECRETS)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def page(self) -> str:
        return self.url

    @property
    def settings(self) -> Mapping[str, str]:
        return {**super().settings, **self._secrets}

    @cached_property
    def _secrets(self) -> dict[str, str]:
        return secrets_in(self.directory)

    @property
    def _env(self) -> Mapping[str, str]:
        return {**os.environ, **self._secrets}

    def _prepare(self) -> None:
        """The sandbox creates its books, and repairs them, by itself."""

    def _command(self) -> Sequence[str | Path]:
        return [
            sys.executable,
            *("-m", "devtools.payment_sandbox"),
            *("--books", self.data),
            *("--port", str(self.port)),
            *("--webhook-url", self._webhook_url),
        ]

    def _is_healthy(self) -> bool:
        return is_healthy(self.port)
