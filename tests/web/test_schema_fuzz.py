"""Valid and invalid requests, generated from the OpenAPI schema, to a running web process.

Each answer must be in the schema of its route and have the form there, and none may be a server error.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from django.conf import settings
from django.contrib.auth.models import User
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from orders_app.state_machine import OrderStatus
from products_app.models import ServiceKey
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.sockets.browser import token
from tests.products_app.product_stock import assert_conserved, stocked

SCHEMA = schemathesis.openapi.from_path(Path(settings.BASE_DIR) / "docs" / "openapi.yaml")
OF_EVERY_ROUTE = {401, 405, 406, 413, 415, 429}
"""The statuses that any route may answer, by docs/http-api.md; all others must be in the schema."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AUTHORIZATION = "Authorization"
SEED = 20261122

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@dataclass
class Caller:
    """The callers, and the ids of objects that exist."""

    headers: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture
def named(clean_catalogue: None, placer: OrderPlacer) -> dict[str, list[str]]:
    """Path parameters of existing objects."""
    orders = [
        placer.place(),
        placer.place_and_move(OrderStatus.CANCELLED),
        placer.place_and_move(OrderStatus.PROCESSING),
    ]
    return {
        "id": [str(order.id) for order in orders],
        "user_id": [str(placer.user_id)],
        "product_id": [stocked(1_000_000), stocked(0), stocked(5, is_active=False)],
    }


@pytest.fixture(params=["anonymous", "customer", "staff", "service"])
def caller(request: pytest.FixtureRequest, placer: OrderPlacer, named: dict[str, list[str]]) -> Caller:
    match request.param:
        case "customer":
            authorization = f"Bearer {token(placer.user_id)}"
        case "staff":
            sam = User.objects.create_user("sam", is_staff=True)
            authorization = f"Bearer {token(sam.pk, is_staff=True)}"
        case "service":
            authorization = f"Api-Key {ServiceKey.issue(name='fuzz')[1]}"
        case _:
            return Caller({}, named)
    return Caller({AUTHORIZATION: authorization}, named)


@pytest.mark.parametrize("examples", [8, pytest.param(150, marks=pytest.mark.thorough)])
def test_no_request_fails_or_gets_an_answer_that_is_not_in_the_schema(
    web_url: str, web_log: Path, caller: Caller, examples: int
) -> None:
    with requests.Session() as session:
        problems = [
            problem
            for operation in operations(caller)
            for problem in fuzz(operation, web_url, session, caller, examples)
        ]
    assert not problems, "\n\n".join(problems)
    assert_conserved()
    assert "Traceback" not in web_log.read_text(errors="replace")


def operations(caller: Caller) -> Iterator[Any]:
    """The operations of the schema that this caller tries."""
    for result in SCHEMA.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # an Err has none: the test fails
        if "/auth/" in operation.path and caller.headers:
            continue  # they read no credentials, and each request hashes a password
        yield operation


def fuzz(operation: Any, web_url: str, session: requests.Session, caller: Caller, examples: int) -> list[str]:
    """Sends this number of requests to an operation; returns the errors of the answers."""
    modes = list(schemathesis.GenerationMode)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @seed(SEED)
    @hypothesis_settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.data())
    def send_request(case: Any, data: Any) -> None:
        use_what_exists(case, data, caller.names)
        case.headers = {**(case.headers or {}), **caller.headers}
        response = case.call(base_url=web_url, session=session, timeout=30)
        assert_documented(operation, case, response.status_code)
        case.validate_response(response, checks=CHECKS)

    try:
        send_request()
    except (AssertionError, Failure, FailureGroup, BaseExceptionGroup) as error:
        return [f"{operation.label}: {error}"]
    return []


def use_what_exists(case: Any, data: Any, names: dict[str, list[str]]) -> None:
    """Uses ids of existing objects more often than random ids."""
    for name, known in names.items():
        if name in case.path_parameters and data.draw(st.booleans()):
            case.path_parameters[name] = data.draw(st.sampled_from(known))
    if isinstance(case.body, dict) and isinstance(items := case.body.get("items"), list):
        for item in items:
            if isinstance(item, dict) and data.draw(st.booleans()):
                item["productId"] = data.draw(st.sampled_from(names["product_id"]))


def assert_documented(operation: Any, case: Any, status: int) -> None:
    documented = {int(code) for code in operation.definition.raw["responses"] if code != "default"}
    allowed = documented | OF_EVERY_ROUTE
    assert status in allowed, f"{status} is not in the schema:\n{case.as_curl_command()}"
