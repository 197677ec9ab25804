"""The command line of ./start."""

import pytest

from devtools.stack.options import parse_start
from devtools.stack.processes import DEFAULT_COUNTS


def test_every_process_has_its_usual_number_without_options() -> None:
    assert parse_start([]).counts == DEFAULT_COUNTS


@pytest.mark.parametrize("name", DEFAULT_COUNTS)
def test_the_number_of_each_process_can_be_chosen(name: str) -> None:
    assert parse_start([f"--{name}-workers", "3"]).counts == DEFAULT_COUNTS | {name: 3}
