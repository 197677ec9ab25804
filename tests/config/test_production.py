"""Settings with which production does not start, and the properties of a correct installation."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from config.checks import refuse_unsafe_settings, unsafe_settings

SOUND = {
    "DEBUG": "false",
    "PLAIN_HTTP": "false",
    "ALLOWED_HOSTS": "shop.example.com",
    "FRONTEND_URL": "https://shop.example.com",
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a process of an installation that is correct apart from these settings."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=os.environ | SOUND | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_correct_installation_passes_djangos_checks_for_deployment() -> None:
    checked = run("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("module", ["config.wsgi", "config.asgi"])
def test_no_server_starts_on_unsafe_settings(module: str) -> None:
    refused = run("-c", f"import {module}", ALLOWED_HOSTS="*")
    assert refused.returncode == 1
    assert "ALLOWED_HOSTS must name the hosts of this installation; it must not be *." in refused.stderr


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 32 random characters."),
        ({"MONITOR_TOKEN": "short"}, "MONITOR_TOKEN must have at least 32 random characters."),
        ({"SECRET_KEY_FALLBACKS": ["x" * 32, "short"]}, "SECRET_KEY_FALLBACKS must have at least 32"),
        ({"MONITOR_TOKEN_FALLBACKS": ["short"]}, "MONITOR_TOKEN_FALLBACKS must have at least 32"),
        ({"ALLOWED_HOSTS": ["shop.example.com", "*"]}, "ALLOWED_HOSTS must name the hosts"),
        ({"FRONTEND_URL": "http://shop.example.com"}, "FRONTEND_URL must be an https address."),
        ({"PUBLIC_URL": "http://shop.example.com"}, "PUBLIC_URL must be an https address."),
        ({"PUBLIC_WS_URL": "ws://shop.example.com"}, "PUBLIC_WS_URL must be a wss address."),
        ({"DEMO": True}, "DEMO is for PLAIN_HTTP alone: its pages show passwords."),
        (
            {"PLAIN_HTTP": True, "ALLOWED_HOSTS": ["localhost", "shop.example.com"]},
            "PLAIN_HTTP is for this machine alone, but ALLOWED_HOSTS has shop.example.com",
        ),
    ],
    ids=lambda given: ", ".join(given) if isinstance(given, dict) else "",
)
def test_each_unsafe_setting_gives_one_sentence(changed: dict[str, Any], sentence: str) -> None:
    sound = {"PLAIN_HTTP": False, "ALLOWED_HOSTS": ["shop.example.com"], "FRONTEND_URL": "", "PUBLIC_URL": ""}
    with override_settings(**sound):
        assert unsafe_settings() == []
    with override_settings(**sound | changed):
        [error] = unsafe_settings()
        assert error.msg.startswith(sentence)
        with pytest.raises(ImproperlyConfigured, match=sentence):
            refuse_unsafe_settings()
        with override_settings(DEBUG=True):
            assert unsafe_settings() == []


@pytest.mark.parametrize("key", ["", "development-only-key-that-production-refuses"])
def test_nothing_starts_without_its_own_secret_key(key: str) -> None:
    refused = run("manage.py", "check", SECRET_KEY=key)
    assert refused.returncode == 1
    assert "SECRET_KEY must be set to a long random value of your own" in refused.stderr


def test_no_key_that_others_know_is_accepted_beside_the_secret_key() -> None:
    known = f"{'x' * 40},development-only-key-that-production-refuses"
    refused = run("manage.py", "check", SECRET_KEY_FALLBACKS=known)
    assert refused.returncode == 1
    assert "SECRET_KEY_FALLBACKS must hold no key that others know." in refused.stderr


def test_over_https_cookies_are_secure_and_hsts_is_sent() -> None:
    values = run(
        "-c",
        "from config.settings import *;"
        "print(SESSION_COOKIE_SECURE, CSRF_COOKIE_SECURE, SECURE_SSL_REDIRECT, SECURE_HSTS_SECONDS)",
    )
    assert values.stdout.split() == ["True", "True", "True", "31536000"]


@override_settings(SECURE_SSL_REDIRECT=True)
def test_health_is_answered_without_https_and_pages_are_redirected_to_https() -> None:
    assert Client().get("/health/live").status_code == 200
    moved = Client().get("/api/docs/")
    assert (moved.status_code, moved["Location"]) == (301, "https://testserver/api/docs/")


@override_settings(PLAIN_HTTP=False)
def test_the_demo_with_its_known_password_is_refused_in_production() -> None:
    with pytest.raises(CommandError, match="known to all"):
        call_command("seed_demo")


def test_a_session_ends_with_the_browser_and_after_its_maximum_age() -> None:
    assert settings.SESSION_EXPIRE_AT_BROWSER_CLOSE
    assert settings.SESSION_COOKIE_AGE <= 12 * 3600
    assert settings.SESSION_COOKIE_HTTPONLY


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("LOGIN_RATE", "fast"),
        ("USER_RATE", "0/minute"),
        ("ADDRESS_RATE", "10"),
        ("SERVICE_RATE", "10/fortnight"),
    ],
)
def test_an_invalid_rate_is_refused_by_name(name: str, rate: str) -> None:
    refused = run("manage.py", "check", **{name: rate})
    assert f"{name} must be a rate such as 30/minute, or off" in refused.stderr


@pytest.mark.parametrize("plain_http", ["false", "true"])
def test_requests_are_limited_unless_the_installation_is_for_one_machine_alone(plain_http: str) -> None:
    printing = "from config.settings import REQUEST_RATES as r; print([r[k] and r[k].limit for k in %s])"
    kinds = ["address", "user", "service"]
    printed = run("-c", printing % kinds, PLAIN_HTTP=plain_http, ALLOWED_HOSTS="localhost")
    limits = [None] * 3 if plain_http == "true" else [6_000, 600, 30_000]
    assert printed.stdout == f"{limits}\n", printed.stderr
