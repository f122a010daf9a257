"""The scores of a prepared evaluation, as a Record of the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from xlt_bench.adapters.content import numbers_in, predictor_of
from xlt_bench.adapters.evaluation import Prepared
from xlt_bench.adapters.scorer import Scorer
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.method import Context, FitSummary
from xlt_bench.records.environment import environment, peak_memory, reset_peak_memory
from xlt_bench.records.record import Predictions, Record
from xlt_bench.runs.protocols import predict

UNKNOWN = "unknown"
SETTING = "existing adapter, sources unknown"


def carry_out(prepared: Prepared, progress: Callable[[int], None] | None = None) -> Record:
    """Predict every target and store the Record; the stored one where there is one, under the name asked for.

    Args:
        prepared: a checked evaluation.
        progress: is told after each language how many are done.
    """
    if prepared.held is not None:
        return _renamed(prepared, prepared.held)
    reset_peak_memory(prepared.device)
    scorer = _scorer(prepared)
    started = time.perf_counter()
    parts = []
    for done, code in enumerate(prepared.cell.targets, 1):
        parts.append(predict(scorer, [prepared.task.split(code, "test")], prepared.task.labels))
        if progress is not None:
            progress(done)
    predictions = _together(parts).clustered(prepared.task.clusters)
    record = _record(prepared, scorer, predictions, time.perf_counter() - started)
    prepared.store.write(record, predictions)
    return record


def _renamed(prepared: Prepared, held: Record) -> Record:
    if prepared.request.name in (None, held.label):
        return held
    record = replace(held, label=prepared.label)
    prepared.store.update(record)
    return record


def below_chance(prepared: Prepared, predictions: Predictions) -> bool:
    """Whether the adapter does worse than always the most frequent class: a sign of a wrong order of classes."""
    _, counts = np.unique(predictions.gold, return_counts=True)
    return bool(predictions.correct.sum() < counts.max())


def _together(parts: Sequence[Predictions]) -> Predictions:
    columns = ("language", "item_id", "gold", "predicted")
    return Predictions(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _scorer(prepared: Prepared) -> Scorer:
    backbone = Backbone(prepared.source, prepared.device, prepared.precision)
    context = Context(
        labels=prepared.order.labels,
        seed=prepared.cell.seed,
        recipe=prepared.recipe,
        device=prepared.device,
        precision=prepared.precision,
        load_backbone=lambda: backbone,
    )
    return Scorer(
        adapter=prepared.adapter,
        predictor=predictor_of(prepared.adapter, prepared.content, prepared.facts, context),
        columns=prepared.order.columns(prepared.task.labels),
        summary=FitSummary(trainable_parameters=numbers_in(prepared.content)),
    )


def _record(prepared: Prepared, scorer: Scorer, predictions: Predictions, seconds: float) -> Record:
    adapter, cell = prepared.adapter, prepared.cell
    known = prepared.request.sources is not None
    return Record(
        cell=cell,
        label=prepared.label,
        sources_label=prepared.request.sources or UNKNOWN,
        groups=prepared.groups,
        labels=prepared.task.labels,
        status="complete",
        origin=f"xlt-bench evaluate {adapter.name}",
        accuracy=predictions.accuracy(),
        item_hash=predictions.item_hash(),
        selected_on="unknown data",
        fit={"trainable_parameters": scorer.summary.trainable_parameters},
        timing={
            "predict_seconds": round(seconds, 3),
            "predict_examples_per_second": round(len(predictions) / max(seconds, 1e-9), 1),
        },
        peak_memory_bytes=peak_memory(prepared.device),
        environment=environment(prepared.device),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        setting="" if known else f"{SETTING}, backbone {cell.backbone} ({cell.backbone_hash[:8]})",
        source="" if known else f"adapter {adapter.name}",
        caveats=(_caveat(prepared, known),),
        runs=1,
    )


def _caveat(prepared: Prepared, known: bool) -> str:
    told = ["An existing adapter; its training was not run or checked here."]
    told.append("Its sources are those told with --sources." if known else "Targets may be among its sources.")
    if prepared.order.assumed:
        told.append("It does not name its classes: their order was taken to be the task's.")
    return " ".join(told)
