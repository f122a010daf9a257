"""What runs took beyond the budget of their recipe, or beyond what their method says, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlt_bench.records.record import Record

_ROUNDING = 1.05
"""Texts beyond the budget by this factor are more than a pass that was repeated for want of memory."""

_STAGES = (("", ""), ("source_", " of the fit on the sources"), ("language_", " of the fits of languages"))
"""Before the names of counts, and as a reader is told."""


def excesses(records: Sequence[Record]) -> list[str]:
    """One sentence for each kind of excess that some of these runs of one row have; the worst run's numbers."""
    texts = []
    for prefix, stage in _STAGES:
        for sentence, pairs in (
            ("optimiser steps{} were counted where the recipe has", list(_steps(records, prefix))),
            ("texts{} went through the backbone with a gradient where the recipe has", list(_texts(records, prefix))),
            ("optimiser steps{} were counted where the method says", list(_summaries(records, prefix))),
            ("optimiser steps{} were made while predicting, and may be", list(_predicting(records, prefix))),
        ):
            if pairs:
                count, allowed = max(pairs, key=lambda pair: pair[0] / max(pair[1], 1))
                share = "" if len(records) == 1 else f" (in {len(pairs)} of {len(records)} runs)"
                texts.append(f"{count:,} {sentence.format(stage)} {allowed:,}{share}")
    return texts


def _steps(records: Sequence[Record], prefix: str) -> Iterator[tuple[int, int]]:
    for record in records:
        count, allowed = (record.counted.get(prefix + name) for name in ("steps", "budget_steps"))
        if count is not None and allowed is not None and count > allowed:
            yield count, allowed


def _texts(records: Sequence[Record], prefix: str) -> Iterator[tuple[int, int]]:
    for record in records:
        count, allowed = (record.counted.get(prefix + name) for name in ("trained_examples", "budget_examples"))
        if count is not None and allowed is not None and count > _ROUNDING * allowed:
            yield count, allowed


def _summaries(records: Sequence[Record], prefix: str) -> Iterator[tuple[int, int]]:
    """Only the last stage of a run has its summary in the Record."""
    for record in records if not prefix else ():
        count, summary = record.counted.get("steps"), record.fit.get("steps")
        if count is not None and isinstance(summary, int) and count > summary:
            yield count, summary


def _predicting(records: Sequence[Record], prefix: str) -> Iterator[tuple[int, int]]:
    for record in records if not prefix else ():
        count = record.counted.get("predict_steps", 0)
        if count:
            yield count, 0
