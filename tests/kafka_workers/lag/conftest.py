"""Fixtures of the tests of lag."""

from tests.kafka_workers.runtime.conftest import bench, short_delays

__all__ = ["bench", "short_delays"]
