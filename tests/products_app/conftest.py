import pytest


@pytest.fixture(autouse=True)
def catalogue(clean_catalogue: None) -> None:
    """Every test here begins with empty collections."""
