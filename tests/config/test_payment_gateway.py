"""Settings for payments that do not go together prevent the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings.payment_gateway import STRIPE_ITSELF, require_silent_library, require_sound_payments

SECRETS = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")


def require(*given: str, api_base: str = STRIPE_ITSELF, plain_http: bool = False) -> None:
    secrets = {name: "a secret" if name in given else "" for name in SECRETS}
    require_sound_payments(secrets=secrets, api_base=api_base, plain_http=plain_http)


def test_an_installation_with_both_secrets_or_none_starts() -> None:
    require(*SECRETS)
    require()


@pytest.mark.parametrize(("given", "missing"), [SECRETS, SECRETS[::-1]])
def test_one_secret_without_the_other_is_one_sentence(given: str, missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{missing} must be set where {given} is"):
        require(given)


@pytest.mark.parametrize(
    "address",
    ["stripe", "ftp://gateway", "https://", "https://gateway/v1", "https://u:p@gateway", "https://gateway:x"],
)
def test_an_address_that_cannot_be_used_is_one_sentence(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STRIPE_API_BASE must be an address such as"):
        require(*SECRETS, api_base=address)


def test_tokens_travel_in_the_open_only_on_this_machine_or_where_that_is_allowed() -> None:
    with pytest.raises(ImproperlyConfigured, match="must be an https address"):
        require(*SECRETS, api_base="http://gateway:12111")
    for local in ("http://127.0.0.1:12111", "http://localhost", "http://[::1]:12111"):
        require(*SECRETS, api_base=local)
    require(*SECRETS, api_base="http://gateway:12111", plain_http=True)


@pytest.mark.parametrize("level", ["debug", "INFO"])
def test_a_library_that_would_print_tokens_prevents_the_start(level: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^STRIPE_LOG must not be"):
        require_silent_library(level)
    require_silent_library("")
