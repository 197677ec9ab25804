"""Payment sandbox and mail catcher as parts of a stack, and servers of the caller in their place."""

from pathlib import Path

import pytest

from devtools.stack.errors import StackError
from devtools.stack.ports import Ports
from devtools.stack.servers import MAIL, PAYMENTS
from devtools.stack.stack import Stack, embedded_stack

SECRETS = {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"}
SETTINGS = {"STRIPE_API_BASE", *SECRETS}


def new_stack(directory: Path, caller: dict[str, str], without: tuple[str, ...] = ()) -> Stack:
    return embedded_stack(directory, ports=Ports.free(), caller=caller, without=without)


def settings_of(stack: Stack) -> dict[str, str]:
    return {name: value for name, value in stack.settings.values.items() if name in SETTINGS}


def test_the_secrets_of_the_sandbox_are_kept_and_have_the_form_of_stripes(tmp_path: Path) -> None:
    first, second = (settings_of(new_stack(tmp_path, {})) for _ in range(2))
    assert {name: first[name] for name in SECRETS} == {name: second[name] for name in SECRETS}
    assert first["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert first["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert settings_of(new_stack(tmp_path / "other", {}))["STRIPE_SECRET_KEY"] != first["STRIPE_SECRET_KEY"]


@pytest.mark.parametrize("setting", sorted(SECRETS))
def test_a_caller_with_a_gateway_gets_no_sandbox_and_no_secret_of_one(tmp_path: Path, setting: str) -> None:
    stack = new_stack(tmp_path, {setting: "of the caller"})
    assert "sandbox" not in stack.servers
    assert settings_of(stack).items() <= {(setting, "of the caller")}
    assert not (tmp_path / "payments").exists()


def test_a_gateway_of_this_machine_needs_no_secrets_of_its_callers(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, {"STRIPE_API_BASE": "http://127.0.0.1:12345"})
    assert "sandbox" not in stack.servers
    assert settings_of(stack).keys() == SETTINGS
    assert settings_of(stack)["STRIPE_API_BASE"] == "http://127.0.0.1:12345"


def test_a_gateway_elsewhere_needs_the_secrets_of_its_account(tmp_path: Path) -> None:
    sentence = "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET must be set where STRIPE_API_BASE is https://api"
    with pytest.raises(StackError, match=sentence):
        new_stack(tmp_path, {"STRIPE_API_BASE": "https://api.stripe.com"})


def test_a_stack_without_payments_has_no_sandbox_and_no_secret_of_one(tmp_path: Path) -> None:
    stack = new_stack(tmp_path, {}, (PAYMENTS,))
    assert "sandbox" not in stack.servers
    assert settings_of(stack) == {}


def test_mails_go_to_the_catcher_unless_the_caller_has_a_mail_server(tmp_path: Path) -> None:
    own, other = new_stack(tmp_path, {}), new_stack(tmp_path, {"EMAIL_URL": "smtp://mail.example"})
    assert own.settings.values["EMAIL_URL"] == f"smtp://127.0.0.1:{own.settings.ports.smtp}"
    assert other.settings.values["EMAIL_URL"] == "smtp://mail.example"
    assert (MAIL in own.servers, MAIL in other.servers) == (True, False)
