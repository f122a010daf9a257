"""Metrics: how answers to items become a score that intervals and tests can be made of. One file a metric."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xlt_bench.errors import unknown
from xlt_bench.metrics.accuracy import Accuracy
from xlt_bench.metrics.base import Metric
from xlt_bench.metrics.macro_f1 import MacroF1

__all__ = ["ACCURACY", "METRICS", "Metric", "metric_named"]

ACCURACY = Accuracy()

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in (ACCURACY, MacroF1())})


def metric_named(name: str) -> Metric:
    """A metric by its name.

    Raises:
        ConfigError: there is none of that name; lists those there are.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS, f"metrics {', '.join(METRICS)}")
    return METRICS[name]
