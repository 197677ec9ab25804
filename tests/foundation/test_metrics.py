"""The list of all metrics: its labels have few values, and its names are those that Prometheus wants."""

import re
from itertools import pairwise

import pytest
from prometheus_client import Counter, Gauge, Histogram

from foundation import metrics

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
