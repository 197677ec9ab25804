"""Contradictory settings of Kafka's security prevent the start."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings.kafka_security import require_sound_kafka_security

SASL = ("KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD")
FILES = ("KAFKA_SSL_CA", "KAFKA_SSL_CERTIFICATE", "KAFKA_SSL_KEY")
HERE = str(Path(__file__))


def require(protocol: str, **given: str) -> None:
    require_sound_kafka_security(
        protocol=protocol,
        sasl={name: given.get(name, "") for name in SASL},
        files={name: given.get(name, "") for name in FILES},
    )


@pytest.mark.parametrize(
    ("protocol", "given"),
    [
        ("PLAINTEXT", {}),
        ("SSL", {}),
        ("SSL", dict.fromkeys(FILES, HERE)),
        ("SASL_PLAINTEXT", dict.fromkeys(SASL, "x")),
        ("SASL_SSL", dict.fromkeys(SASL, "x") | {"KAFKA_SSL_CA": HERE}),
    ],
)
def test_correct_settings_pass(protocol: str, given: dict[str, str]) -> None:
    require(protocol, **given)


@pytest.mark.parametrize(
    ("protocol", "given", "sentence"),
    [
        *(
            ("SASL_SSL", dict.fromkeys(SASL, "x") | {name: ""}, f"{name} must be set where .* is SASL_SSL")
            for name in SASL
        ),
        ("SSL", dict.fromkeys(SASL, "x"), "KAFKA_SASL_MECHANISM means nothing while .* is SSL"),
        ("PLAINTEXT", {"KAFKA_SSL_CA": HERE}, "KAFKA_SSL_CA means nothing while .* is PLAINTEXT"),
        ("SSL", {"KAFKA_SSL_CERTIFICATE": HERE}, "KAFKA_SSL_KEY must be set both or neither"),
        ("SSL", {"KAFKA_SSL_CA": "/no/such.pem"}, "KAFKA_SSL_CA must be the path of a readable file"),
    ],
)
def test_contradictory_settings_are_named_in_one_sentence(
    protocol: str, given: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        require(protocol, **given)
