"""Mail addresses have one normal form, however they are written."""

import pytest

from foundation.mail_addresses import (
    MAX_NORMAL_FORM,
    UnsoundMailAddress,
    normal_form,
    require_sound_new,
    shown_form,
)


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("alice@example.com", " ALICE@Example.COM "),
        ("alice@example.com", "\uff41\uff4c\uff49\uff43\uff45@example.com"),
        ("sam@example.com", "\u017fam@example.com"),
        ("kim@example.com", "\u212aim@example.com"),
        ("post@bücher.example", "post@BÜCHER.example"),
        ("post@bücher.example", "post@xn--bcher-kva.example"),
        ("post@bücher.example", "post@bu\u0308cher.example"),
        ("post@example.com", "post@example\uff0ecom"),
    ],
)
def test_one_mailbox_has_one_normal_form(address: str, other: str) -> None:
    assert normal_form(address) == normal_form(other)
    assert normal_form(normal_form(address)) == normal_form(address)


@pytest.mark.parametrize(
    "other", ["al\u0131ce@example.com", "alice@examp1e.com", "alice+x@example.com", "alice"]
)
def test_other_mailboxes_have_other_normal_forms(other: str) -> None:
    assert normal_form("alice@example.com") != normal_form(other)


@pytest.mark.parametrize(
    "text", ["", "@", "a@", "@b", "a@b@c", "a@" + "." * 300, "\ud800@\udfff", "x" * 9_999]
)
def test_any_text_has_a_normal_form_that_can_be_stored(text: str) -> None:
    assert len(normal_form(text)) <= MAX_NORMAL_FORM


def test_an_address_is_shown_as_it_was_written_but_for_its_domain() -> None:
    assert shown_form(" Alice@EXAMPLE.com ") == "Alice@example.com"


@pytest.mark.parametrize(
    "address",
    [
        "alice+x@example.com",
        "o'neil@b\u00fccher.example",
        "a@xn--bcher-kva.example",
        f"{'a' * 64}@example.com",
    ],
)
def test_a_new_account_may_have_a_plain_address(address: str) -> None:
    require_sound_new(shown_form(address))


@pytest.mark.parametrize(
    "address",
    [
        "\u017fam@example.com",
        "ali\u0441e@example.com",
        '"a b"@example.com',
        "a\r\nBcc: b@example.com",
        "@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 250}.de",
        "a@exa\u200bmple.com",
        "a@exa\u00admple.com",
        "a@stra\u00dfe.example",
        "a@" + "\u00fc" * 60 + ".example",
    ],
)
def test_no_new_account_may_have_an_address_that_looks_like_another_or_is_no_plain_one(address: str) -> None:
    with pytest.raises(UnsoundMailAddress):
        require_sound_new(address)
