"""Settings mean what they say, and one that cannot be used gives one sentence."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

NEEDED = ("SECRET_KEY", "DATABASE_URL", "MONGODB_URI", "KAFKA_BROKERS")
LONG = "long-enough-to-be-taken-for-a-secret-key"
AWKWARD = (
    "$5!q",
    "$HOME",
    "${HOME}",
    "$$",
    "a#b c",
    "it's",
    'say "hi"',
    "back\\slash",
    "%s %(x)s {y}",
    " blank ",
)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def values_of(*names: str, **environment: str) -> list[object]:
    """The values that the settings of a process with this environment have."""
    listed = ", ".join(f"settings.{name}" for name in names)
    script = f"import json; from config import settings; print(json.dumps([{listed}]))"
    done = run("-c", script, **environment)
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def refusal_of(**environment: str) -> str:
    """The one line with which a command ends."""
    done = run("manage.py", "check", **environment)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    return line


def test_secrets_mean_what_they_say() -> None:
    secured = {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": "$user",
        "HOME": "/home/of/somebody",
    }
    for awkward in AWKWARD:
        given = {
            **secured,
            "SECRET_KEY": awkward + LONG,
            "MONITOR_TOKEN": f"{awkward.strip()}{LONG}",
            "KAFKA_SASL_PASSWORD": awkward,
        }
        names = ("SECRET_KEY", "MONITOR_TOKEN", "KAFKA_SASL_PASSWORD", "KAFKA_SASL_USERNAME")
        assert values_of(*names, **given) == [given[name] for name in names]


def test_the_file_of_a_running_stack_means_what_it_says(tmp_path: Path) -> None:
    kept = {
        "SECRET_KEY": f"$HOME '{LONG}' # \"100%\"",
        "DATABASE_URL": "postgres://user:p%24%40%23%25%20+w@127.0.0.1:1/shop",
        "MONGODB_URI": "mongodb://user:p%24%40w@127.0.0.1:1/shop?replicaSet=rs0&authSource=admin",
        "KAFKA_BROKERS": "127.0.0.1:1",
    }
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in kept.items()]
    (tmp_path / "env").write_text("# a comment\n" + "".join(lines))
    database = "DATABASES['default']['PASSWORD']"
    values = values_of(*kept, database, STACK_DIR=str(tmp_path), **dict.fromkeys(kept, ""))
    assert values == [*kept.values(), "p$@#% +w"]


def test_blanks_around_a_value_and_other_spellings_are_understood() -> None:
    values = values_of(
        *("PLAIN_HTTP", "HOLD_MINUTES", "ALLOWED_HOSTS", "RETRY_DELAYS_SECONDS", "LOG_FORMAT"),
        *("FRONTEND_URL", "KAFKA_BROKERS", "MONITOR_ADDRESSES", "SOCKET_SLOW_SECONDS"),
        PLAIN_HTTP=" Yes ",
        HOLD_MINUTES=" 7 ",
        ALLOWED_HOSTS=" localhost , 127.0.0.1,",
        RETRY_DELAYS_SECONDS="1, 2.5",
        LOG_FORMAT=" json ",
        FRONTEND_URL="http://localhost:3000/",
        KAFKA_BROKERS=" 127.0.0.1:1 , [::1]:2 ",
        MONITOR_ADDRESSES="",
        SOCKET_SLOW_SECONDS="",
    )
    assert values == [
        *(True, 7, ["localhost", "127.0.0.1"], [1.0, 2.5], "json"),
        *("http://localhost:3000", "127.0.0.1:1,[::1]:2", ["127.0.0.0/8", "::1"], 10),
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", "tru", "DEBUG must be true or false, not 'tru'."),
        (
            "LOG_LEVELS",
            "info,web=loud",
            "LOG_LEVELS cannot be read: 'loud' is no level: there are debug, info, ",
        ),
        ("LOG_LEVELS", "orders_app.mial=debug", "LOG_LEVELS names 'orders_app.mial', which is no module."),
        ("LOG_LEVELS", "nobody.knows=debug", "LOG_LEVELS names 'nobody.knows', which is no module."),
        ("LOG_LEVELS", "=debug", "LOG_LEVELS names '', which is no module."),
        ("PLAIN_HTTP", "$YES", "PLAIN_HTTP must be true or false, not '$yes'."),
        ("HOLD_MINUTES", "1_000", "HOLD_MINUTES must be a whole number, not '1_000'."),
        ("HOLD_MINUTES", "٣", "HOLD_MINUTES must be a whole number, not '٣'."),
        ("HOLD_MINUTES", "$HOME", "HOLD_MINUTES must be a whole number, not '$HOME'."),
        ("RETRY_DELAYS_SECONDS", "5,soon", "RETRY_DELAYS_SECONDS must be seconds"),
        ("RETRY_DELAYS_SECONDS", "nan", "RETRY_DELAYS_SECONDS must be seconds"),
        ("MONITOR_ADDRESSES", "10.0.0.1/8", "MONITOR_ADDRESSES must hold addresses and networks: 10.0.0.1/8"),
        ("MONITOR_TOKEN", f" {LONG}", "MONITOR_TOKEN must not begin or end with a blank."),
        ("WATCHED_DISKS", "kafka=/var,/srv", "WATCHED_DISKS must hold disks such as kafka=/var/lib/kafka"),
        ("WATCHED_CERTIFICATES", "shop.example.com", "WATCHED_CERTIFICATES must hold addresses such as"),
        ("FRONTEND_URL", "shop.example.com", "FRONTEND_URL must be an origin such as"),
        ("PUBLIC_URL", "https://shop.example.com/path", "PUBLIC_URL must be an origin such as"),
        ("PUBLIC_WS_URL", "https://shop.example.com", "PUBLIC_WS_URL must be an address such as wss://"),
        ("PUBLIC_WS_URL", "wss://shop.example.com/live", "PUBLIC_WS_URL must be an address such as wss://"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL cannot be read"),
        ("EMAIL_URL", "http://mail.example.com", "EMAIL_URL cannot be read"),
        ("EMAIL_URL", "smtp://u:a@b@mail.example.com", "EMAIL_URL cannot be read"),
        ("EMAIL_URL", "smtp://mail.example.com:99999", "EMAIL_URL cannot be read"),
        ("EMAIL_URL", "smtp://u:p@", "EMAIL_URL must name a mail server"),
        ("MAIL_FROM", "shop", "MAIL_FROM must be an address"),
        ("MAIL_RATE", "1/minute", "MAIL_RATE must let a mail through every 5 seconds"),
        ("KAFKA_BROKERS", "127.0.0.1", "KAFKA_BROKERS must be a comma-separated list of host:port"),
        ("DATABASE_URL", "postgres://u:a@b@127.0.0.1:1/shop", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgres://u:a%b@127.0.0.1:1/shop", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgres://u:a#b@127.0.0.1:1/shop", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgres://u:a[b@127.0.0.1:1/shop", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgres://u:ab@127.0.0.1:port/shop", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgres://u:ab@127.0.0.1:1/", "DATABASE_URL must hold the name of a database"),
        ("CURRENCY", "usd", "CURRENCY must be a currency of ISO 4217 such as USD, not 'usd'."),
        ("STRIPE_WEBHOOK_SECRET", "", "STRIPE_WEBHOOK_SECRET must be set where STRIPE_SECRET_KEY is"),
        ("MONGODB_URI", "mongodb://u:a/b@127.0.0.1:1/shop", "MONGODB_URI cannot be read"),
        ("SCHEMA_REGISTRY_URL", "registry:8081", "SCHEMA_REGISTRY_URL must be an address such as"),
        ("SCHEMA_REGISTRY_URL", "http://a:1,ftp://b:1", "SCHEMA_REGISTRY_URL must be an address such as"),
        ("SCHEMA_REGISTRY_URL", "http://u:a@b@c:1", "SCHEMA_REGISTRY_URL must be an address such as"),
        ("MONGODB_URI", "mongodb://127.0.0.1:1/?replicaSet=rs0", "MONGODB_URI must hold the name"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT must be an address"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "OTEL_TRACES_SAMPLER must be one of always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "1 %", "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1"),
        ("TRACE_URL", "https://jaeger.example.com/trace/", "TRACE_URL must be an address such as"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence(name: str, value: str, sentence: str) -> None:
    assert refusal_of(**{name: value}).startswith(f"stockbridge: {sentence}")


def test_the_mail_server_is_read_from_one_url() -> None:
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS")
    url = "smtp+tls://shop%40example.com:p%24%40+w@mail.example.com:587"
    assert values_of(*names, EMAIL_URL=url) == ["mail.example.com", 587, "shop@example.com", "p$@+w", True]
    assert values_of("EMAIL_URL", "PUBLIC_URL", DEBUG="false", EMAIL_URL="", PUBLIC_URL="") == ["", ""]


def test_the_address_of_the_sockets_may_have_their_path() -> None:
    for address in ("ws://localhost:8001", "ws://localhost:8001/", "ws://localhost:8001/ws/orders/"):
        assert values_of("PUBLIC_WS_URL", PUBLIC_WS_URL=address) == ["ws://localhost:8001"]


def test_settings_of_a_stack_that_does_not_run_are_used_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("KAFKA_BROKERS=127.0.0.1:1\n")
    kept = {"STACK_DIR": str(tmp_path), "KAFKA_BROKERS": ""}
    sentence = f"No ./start runs on {tmp_path}, whose settings are used: set STACK_DIR "
    assert run("-c", "import config.settings", **kept).stderr.startswith(sentence)
    (tmp_path / "state").write_text(json.dumps({"pid": os.getpid()}))
    assert run("-c", "import config.settings", **kept).stderr == ""


def test_without_a_stack_and_settings_a_command_says_what_to_set(tmp_path: Path) -> None:
    sentence = refusal_of(STACK_DIR=str(tmp_path), DEBUG="", **dict.fromkeys(NEEDED, ""))
    assert sentence.startswith(f"stockbridge: No running stack found under {tmp_path}: set STACK_DIR ")
    assert all(name in sentence for name in NEEDED)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_the_file_of_another_users_stack_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("HOLD_MINUTES=1")
    shutil.chown(tmp_path / "env", "nobody")
    assert "belongs to another user" in refusal_of(STACK_DIR=str(tmp_path))


def test_a_broken_file_of_a_stack_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SECRET_KEY='never closed")
    sentence = refusal_of(STACK_DIR=str(tmp_path))
    assert re.search(rf"{tmp_path}/env cannot be read: ", sentence)
