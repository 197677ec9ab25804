"""Tokens while SECRET_KEY is replaced: signed with one key, read with several."""

import time

import jwt
import pytest
from rest_framework_simplejwt.exceptions import TokenBackendError

from orders_app.accounts.signing_keys import SeveralKeys

OLD, NEW, OTHER = "o" * 40, "n" * 40, "x" * 40


def claims(seconds: float = 60) -> dict[str, object]:
    return {"user_id": "7", "exp": int(time.time() + seconds)}


def refusal(keys: SeveralKeys, token: str) -> BaseException | None:
    """Why the library refuses the token."""
    with pytest.raises(TokenBackendError) as caught:
        keys.decode(token)
    return caught.value.__cause__


@pytest.mark.parametrize("signed_with", [OLD, NEW])
def test_tokens_of_both_keys_are_read(signed_with: str) -> None:
    signed = claims()
    token = SeveralKeys(signed_with, []).encode(signed)
    assert SeveralKeys(NEW, [OTHER, OLD]).decode(token) == signed


def test_a_token_is_signed_with_the_key_in_use() -> None:
    token = SeveralKeys(NEW, [OLD]).encode(claims())
    assert SeveralKeys(NEW, []).decode(token)
    assert isinstance(refusal(SeveralKeys(OLD, []), token), jwt.InvalidSignatureError)


def test_a_token_of_a_key_that_was_taken_out_is_not_read() -> None:
    token = SeveralKeys(OLD, []).encode(claims())
    assert isinstance(refusal(SeveralKeys(NEW, [OTHER]), token), jwt.InvalidSignatureError)


@pytest.mark.parametrize("signed_with", [OLD, NEW])
def test_an_expired_token_is_told_as_such_whichever_key_signed_it(signed_with: str) -> None:
    token = SeveralKeys(signed_with, []).encode(claims(seconds=-60))
    assert isinstance(refusal(SeveralKeys(NEW, [OLD]), token), jwt.ExpiredSignatureError)


@pytest.mark.parametrize("junk", ["", "a.b.c", "nonsense"])
def test_what_is_no_token_is_malformed(junk: str) -> None:
    assert isinstance(refusal(SeveralKeys(NEW, [OLD]), junk), jwt.DecodeError)
