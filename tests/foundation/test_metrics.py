"""The list of all metrics: its labels have few values, and its names are those that Prometheus wants."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Counter, Gauge, Histogram

from foundation import metrics
from foundation.metrics.batch_histogram import BatchHistogram
from foundation.metrics.buckets import MILLISECONDS_TO_SECONDS

LISTED = [each for each in vars(metrics).values() if isinstance(each, Counter | Gauge | Histogram)]
NOT_OF_USERS = re.compile(r"_?(id|name|path|user|order|product|address|email|url|query)$")


@pytest.mark.parametrize("metric", LISTED, ids=str)
def test_each_label_is_one_of_those_whose_values_are_bounded(metric: Counter | Gauge | Histogram) -> None:
    assert set(metric._labelnames) <= metrics.LABELS.keys()


def test_no_label_is_listed_in_vain_or_named_as_what_users_bring() -> None:
    assert {label for metric in LISTED for label in metric._labelnames} == metrics.LABELS.keys()
    assert not [label for label in metrics.LABELS if NOT_OF_USERS.search(label)]


@pytest.mark.parametrize("metric", [each for each in LISTED if isinstance(each, Histogram)], ids=str)
def test_buckets_rise_by_steps_that_tell_one_time_from_another(metric: Histogram) -> None:
    bounds = metric._upper_bounds[:-1]
    assert all(1.5 <= later / earlier <= 3.4 for earlier, later in pairwise(bounds))


AMOUNTS = st.lists(st.floats(0, 10) | st.sampled_from(MILLISECONDS_TO_SECONDS))


@given(AMOUNTS)
def test_amounts_that_are_observed_together_count_as_one_by_one(amounts: list[float]) -> None:
    together, one_by_one = (
        BatchHistogram(
            "seconds", "How long.", ["kind"], buckets=MILLISECONDS_TO_SECONDS, registry=None
        ).labels("a")
        for _ in range(2)
    )
    together.observe_all(amounts)
    for amount in amounts:
        one_by_one.observe(amount)
    for batch, single in zip(samples(together), samples(one_by_one), strict=True):
        assert batch == pytest.approx(single)


def samples(histogram: Histogram) -> list[float]:
    return [sample.value for sample in histogram._child_samples()]
