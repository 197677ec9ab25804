"""docs/new-event.md, new-route.md and new-status.md, followed to the letter in copies of the project.

docs/new-consumer.md is followed by tests/kafka_workers/test_a_new_consumer.py.
"""

import pytest

from tests.documents import ROOT
from tests.project_copy import ProjectCopy

pytestmark = [pytest.mark.documents, pytest.mark.timeout(400)]
DOCS = ROOT / "docs"
SCHEMA_TEST = "tests/orders_app/api/test_schema.py::test_the_schema_in_the_repository_equals_that_of_the_code"
CALLERS_TEST = "test_each_caller_is_answered_as_the_table_says"


@pytest.fixture(scope="module")
def with_event(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy in which orders can be wrapped, over HTTP too."""
    copy = ProjectCopy(tmp_path_factory.mktemp("event"))
    copy.follow(DOCS / "new-event.md")
    copy.follow(DOCS / "new-route.md")
    return copy


@pytest.fixture(scope="module")
def with_status(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy in which orders are packed before they are shipped."""
    copy = ProjectCopy(tmp_path_factory.mktemp("status"))
    copy.follow(DOCS / "new-status.md")
    return copy


def test_a_new_event_and_its_route_pass_their_tests_and_those_of_all_events_and_routes(
    with_event: ProjectCopy,
) -> None:
    with_event.test(
        "tests/orders_app/services/test_wrapping.py",
        "tests/orders_app/test_event_effects.py",
        "tests/orders_app/test_golden_events.py",
        "tests/orders_app/sockets/test_socket_messages.py",
        "tests/kafka_workers/relay/test_order_messages.py",
        "tests/orders_app/api/test_wrapping_over_http.py",
        SCHEMA_TEST,
        "tests/web/test_every_route.py::test_no_route_is_missing_in_the_table",
        "tests/web/test_every_route.py::test_no_method_of_the_api_is_missing_in_the_table",
        f"tests/web/test_every_route.py::{CALLERS_TEST}[POST-api/v1/orders/<uuid:pk>/wrap/]",
    )


def test_its_message_has_a_topic_that_the_relay_may_write(with_event: ProjectCopy) -> None:
    printed = with_event.manage("kafka_access", "--dry-run").splitlines()
    assert "User:stockbridge-relay may WRITE the topic order.wrapped" in printed
    assert (with_event.directory / "docs" / "schemas" / "order.wrapped.v1.json").is_file()
    with_event.manage("generate_docs", "--check")


def test_a_new_status_passes_its_tests_and_needs_no_other_migration(with_status: ProjectCopy) -> None:
    with_status.test(
        "tests/orders_app/test_packed_orders.py", "tests/orders_app/test_state_machine.py", SCHEMA_TEST
    )
    with_status.manage("makemigrations", "--check", "--dry-run")


def test_the_code_of_the_guides_is_formatted_and_passes_the_linter(
    with_event: ProjectCopy, with_status: ProjectCopy
) -> None:
    for copy in (with_event, with_status):
        files = ("orders_app", "tests/orders_app", "tests/web", "kafka_workers/workers.py")
        copy.run("-m", "ruff", "check", "--no-cache", *files, "--extend-exclude", "migrations")
        copy.run("-m", "ruff", "format", "--no-cache", "--check", *files, "--exclude", "migrations")
