"""A process with many failing requests that carry secrets; prints every answer.

Its arguments: a JSON file with the secrets, and the file to which it writes the issued tokens.
"""

import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

import structlog  # noqa: E402
from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402

from web import metrics_text  # noqa: E402

PLANTED, ISSUED = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
USER = {"username": "planted-user", "email": "p@example.com", "password": PLANTED["password"]}
WRONG = USER | {"password": PLANTED["wrong password"]}

browser = Client(raise_request_exception=False, SERVER_NAME="localhost")


def send(method: str, path: str, body: object = None, **headers: str) -> Any:
    return browser.generic(
        method, path, json.dumps(body or {}).encode(), content_type="application/json", headers=headers
    )


def show(method: str, path: str, body: object = None, **headers: str) -> None:
    answer = send(method, path, body, **headers)
    print(  # noqa: T201
        method, path, answer.status_code, answer.content.decode(errors="replace"), answer.headers
    )


def fail(*_: object) -> None:
    """Raises an exception with secrets in its frames and in its text."""
    password = PLANTED["password"]
    raise RuntimeError(f"an exception at {settings.MONGODB_URI}", len(password))


issued = send("POST", "/api/v1/auth/register/", USER)
assert issued.status_code == 201, issued.content
tokens = issued.json()
ISSUED.write_text(json.dumps(tokens))
show("POST", "/api/v1/auth/register/", USER)
for _ in range(settings.LOGIN_FAILURES):
    show("POST", "/api/v1/auth/token/", WRONG)
    browser.post("/admin/login/", WRONG)
show("POST", "/api/v1/auth/token/", WRONG | {"password": [PLANTED["wrong password"]]})
show("POST", "/api/v1/auth/token/refresh/", {"refresh": PLANTED["refresh token"]})
send("POST", "/api/v1/auth/token/refresh/", {"refresh": tokens["refresh"]})
show("POST", "/api/v1/auth/token/refresh/", {"refresh": tokens["refresh"]})
for credentials in (
    f"Bearer {PLANTED['forged token']}",
    f"Bearer {tokens['access']}",
    f"Bearer {PLANTED['monitor token']}",
    f"Api-Key {PLANTED['api key']}",
):
    for path in ("/api/v1/orders/", "/metrics"):
        show("GET", path, authorization=credentials)
    show("POST", "/api/v1/products/665f1f77bcf86cd799439011/reserve/", authorization=credentials)
for path in ("/api/v1/products/", "/health/ready"):
    show("GET", path)
show("GET", "/api/v1/orders/", cookie=f"{settings.SESSION_COOKIE_NAME}={PLANTED['session']}")
setattr(metrics_text, "choose_encoder", fail)  # noqa: B010 - mypy knows only what a module exports
show("GET", "/metrics", authorization=f"Bearer {tokens['access']}")
structlog.get_logger("x").error("sent", authorization=tokens["access"], api_key=PLANTED["api key"])
