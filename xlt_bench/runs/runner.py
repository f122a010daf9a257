"""Carries out packs of cells: gives a method its context, turns outcomes and failures into Records in the store."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ClaimLostError, MethodError, XltBenchError
from xlt_bench.io.stop_signals import Stopped, StopSignals
from xlt_bench.method import Activity, Adaptable, Context, Fitted, LanguageFits, Progress, WithLanguageStage
from xlt_bench.recipe import Recipe
from xlt_bench.records.cell import Cell
from xlt_bench.records.environment import environment, peak_memory, reset_peak_memory
from xlt_bench.records.record import Predictions, Record
from xlt_bench.resources import language_texts
from xlt_bench.runs.arithmetic import floating_point_operations
from xlt_bench.runs.calls import Fits, calling, predict, report_of
from xlt_bench.runs.checkpoints import Checkpointing, program_identity
from xlt_bench.runs.counting import Counter, Effort
from xlt_bench.runs.counts import Counts, fit_counts, run_counts
from xlt_bench.runs.language_stage import LanguageStage, StoredLanguages
from xlt_bench.runs.loader import Loader
from xlt_bench.runs.protocols import protocol_of
from xlt_bench.runs.protocols.full import fit_source
from xlt_bench.runs.protocols.zero_shot import source_steps
from xlt_bench.runs.setup import Setup

if TYPE_CHECKING:
    from xlt_bench.backbones.backbone import Backbone

METHOD, MADE = "method", "made.json"
"""Of a kept source fit: what the method saved, and what it took."""


@dataclass(frozen=True)
class Outcome:
    """What came of one cell; `operations` of its fit where they were counted, `report` where the method has one."""

    cell: Cell
    fitted: Fitted
    predictions: Predictions
    fit_seconds: float
    predict_seconds: float
    counts: Counts
    operations: int | None
    report: Mapping[str, Any]
    languages: StoredLanguages


@dataclass(frozen=True)
class SourceFit:
    """A fit on the sources as it was kept, with the seconds that it took and what was counted of it."""

    key: str
    fitted: Adaptable
    seconds: float
    counts: Counts


class Runner:
    """Runs packs of cells of one experiment.

    Args:
        setup: what they have in common.
        progress: is told what goes on: activities, steps and dev evaluations.
        loader: has the backbones that are loaded already.
        stop_signals: by which a scheduler asks to leave.
    """

    def __init__(self, setup: Setup, progress: Progress, loader: Loader, stop_signals: StopSignals) -> None:
        self.setup = setup
        self._progress = progress
        self._loader = loader
        self._checkpointing = Checkpointing(
            program_identity(setup.configured.method, setup.device), setup.checkpoint_minutes, stop_signals
        )
        self._source: SourceFit | None = None
        self._failed_fits: dict[str, BaseException] = {}

    def run(self, cells: Sequence[Cell]) -> list[Record]:
        """Run cells in one pass where the method can; store and return their Records.

        They differ in their seed only or, if they adapt, in their target only. A cell that fails becomes a Record that
        says so; if it took its whole pack down with it, the others are run again one by one. What another process has
        taken over is left to it, without a Record.
        """
        reset_peak_memory(self.setup.device)
        try:
            outcomes = self._outcomes(cells)
        except (Exception, SystemExit) as error:
            if _concerns_all(error):
                raise
            if len(cells) > 1:
                return [record for cell in cells for record in self.run([cell])]
            return [self._store_failure(cells[0], error)]
        records = []
        for cell, outcome in zip(cells, outcomes, strict=True):
            with suppress(ClaimLostError):
                records.append(
                    self._store_failure(cell, outcome)
                    if isinstance(outcome, MethodError)
                    else self._store_outcome(outcome, cells)
                )
        return records

    def fit_source(self, cell: Cell) -> None:
        """Make and keep the fit on the sources that a cell adapts from; a failure is that of the cell, later."""
        key, setup = cell.source_fit, self.setup
        self._progress.activity(Activity("training", f"sources, seed {cell.seed}"))
        method, task = setup.configured.method, setup.task
        try:
            context = self._context(cell, setup.recipe_of(cell), targets=())
            counter = Counter()
            checkpoints = self._checkpointing.of_pack(setup.store.checkpoints, counter)
            context = self._checkpointing.kept(context, key, checkpoints)
            with counter:
                fitted = fit_source(cell, method, task, context)
            seconds, steps = checkpoints.fit_seconds, source_steps(cell, task, context.recipe)
            costs = {"seconds": seconds, "counts": fit_counts(counter.efforts()[0], cell, context.recipe, steps)}
            setup.store.fits.keep(key, lambda folder: _keep(fitted, costs, folder))
        except (Exception, SystemExit) as error:
            if _concerns_all(error):
                raise
            self._failed_fits[key] = error
        setup.store.checkpoints.drop([key])

    def has_source(self, cell: Cell) -> bool:
        """Whether the fit that a cell adapts from is there, or known to fail."""
        return cell.source_fit in self._failed_fits or self.setup.store.fits.has(cell.source_fit)

    def _outcomes(self, cells: Sequence[Cell]) -> list[Outcome | MethodError]:
        protocol, method, task = protocol_of(cells[0]), self.setup.configured.method, self.setup.task
        recipes = [protocol.recipe(self.setup.recipe_of(cell), cell, task) for cell in cells]
        contexts = [self._context(cell, recipe) for cell, recipe in zip(cells, recipes, strict=True)]
        source = self._source_of(cells[0]).fitted if cells[0].adapts else None
        self._progress.activity(Activity("training", _subject(cells)))
        counter = Counter()
        checkpoints = self._checkpointing.of_pack(self.setup.store.checkpoints, counter)
        contexts = [
            self._checkpointing.kept(context, cell.fingerprint, checkpoints)
            for cell, context in zip(cells, contexts, strict=True)
        ]
        with counter:
            fits, operations = self._with_operations(lambda: protocol.fit(cells, method, task, contexts, source))
        seconds = checkpoints.fit_seconds / len(cells)
        return [
            fitted
            if isinstance(fitted, MethodError)
            else self._predicted(cell, context, fitted, seconds, effort, operations)
            for cell, context, fitted, effort in zip(cells, contexts, fits, counter.efforts(len(cells)), strict=True)
        ]

    def _with_operations(self, fit: Callable[[], Fits]) -> tuple[Fits, int | None]:
        """What `fit` returns, and how many floating-point operations it took, where they are to be counted."""
        return floating_point_operations(fit) if self.setup.count_operations else (fit(), None)

    def _predicted(
        self, cell: Cell, context: Context, fitted: Fitted, fit_seconds: float, effort: Effort, operations: int | None
    ) -> Outcome:
        task, recipe = self.setup.task, context.recipe
        parts = protocol_of(cell).predicted(cell, task, recipe)
        predicting = Activity("predicting", _subject([cell]), total=len(parts), unit="language")
        self._progress.activity(predicting)
        started = time.perf_counter()
        with Counter() as counter:
            predictions = predict(
                fitted,
                parts,
                task.labels,
                lambda completed, items: self._progress.activity(replace(predicting, completed=completed, items=items)),
                abstains=getattr(self.setup.configured.method, "abstains", False),
            )
        seconds = time.perf_counter() - started
        steps = protocol_of(cell).steps(cell, task, recipe)
        source = self._source.counts if cell.adapts and self._source else {}
        counts = run_counts(fit_counts(effort, cell, recipe, steps), counter.efforts()[0], source)
        predictions, report = predictions.clustered(task.clusters), report_of(fitted, parts)
        languages = context.languages.fits
        assert isinstance(languages, StoredLanguages)
        return Outcome(cell, fitted, predictions, fit_seconds, seconds, counts, operations, report, languages)

    def _source_of(self, cell: Cell) -> SourceFit:
        """The fit that a cell adapts from, as it was kept: a resumed run starts where an undisturbed one does."""
        if self._source is None or self._source.key != cell.source_fit:
            fits = self.setup.store.fits
            if not fits.has(cell.source_fit):  # another process was done with it and dropped it
                self.fit_source(cell)
            if cell.source_fit in self._failed_fits:
                raise self._failed_fits[cell.source_fit]
            try:
                self._source = self._load_source(cell)
            except (OSError, MethodError):
                if fits.has(cell.source_fit):
                    raise
                return self._source_of(cell)  # dropped while it was read
        return self._source

    def _load_source(self, cell: Cell) -> SourceFit:
        folder = self.setup.store.fits.folder_of(cell.source_fit)
        costs = json.loads((folder / MADE).read_text(encoding="utf-8"))
        with calling("load"):
            context = self._context(cell, self.setup.recipe_of(cell), targets=())
            fitted = self.setup.configured.method.load(folder / METHOD, context)
        assert isinstance(fitted, Adaptable), "checked when it was fitted"
        return SourceFit(cell.source_fit, fitted, costs["seconds"], costs["counts"])

    def _context(self, cell: Cell, recipe: Recipe, targets: Sequence[str] | None = None) -> Context:
        """With the fits of languages; of the sources alone where there are to be no targets."""
        setup, source = self.setup, self.setup.source
        context = Context(
            labels=setup.task.labels,
            seed=cell.seed,
            recipe=recipe,
            device=setup.device,
            precision=setup.precision,
            progress=self._progress,
            load_backbone=None if source is None else partial(self._load_backbone, source),
            resources=setup.resources,
        )
        return replace(context, languages=self._languages(cell, context, cell.targets if targets is None else targets))

    def _languages(self, cell: Cell, context: Context, targets: Sequence[str]) -> LanguageFits:
        setup, method = self.setup, self.setup.configured.method
        if not isinstance(method, WithLanguageStage) or setup.source is None:
            return LanguageFits(StoredLanguages({}))
        labelled = cell.sources or cell.targets
        texts = language_texts(setup.task, labelled, targets, setup.resources)
        name, backbone = setup.configured.name, setup.source.fingerprint
        stage = LanguageStage(name, method, backbone, setup.store, self._checkpointing)
        return LanguageFits(stage.fits(texts, context), labelled)

    def _load_backbone(self, source: BackboneSource) -> Backbone:
        device, precision = self.setup.device, self.setup.precision
        if not self._loader.has_backbone(source, device, precision):
            self._progress.activity(Activity("loading", f"backbone {source.name}"))
        return self._loader.backbone(source, device, precision)

    def _unfinished(self, cell: Cell) -> Record:
        """The Record of a cell, without what came of it."""
        setup, provenance = self.setup, self.setup.provenance
        return Record(
            cell=cell,
            label=setup.configured.label,
            defaults=setup.defaults,
            sources_label=setup.sources_label,
            groups=setup.groups_of(cell),
            labels=setup.task.labels,
            status="failed",
            origin=provenance.origin,
            tuning=setup.tuning,
            environment=environment(setup.device),
            created=datetime.now(UTC).isoformat(timespec="microseconds"),
            setting=provenance.setting,
            source=provenance.source,
            caveats=provenance.caveats,
            runs=provenance.runs,
        )

    def _store_outcome(self, outcome: Outcome, cells: Sequence[Cell]) -> Record:
        cell, predictions, summary = outcome.cell, outcome.predictions, outcome.fitted.summary
        selected_on = protocol_of(cell).selected_on if summary.selected_step is not None else "nothing"
        operations = {} if outcome.operations is None else {"floating_point_operations": outcome.operations}
        languages = {"languages": outcome.languages.report()} if outcome.languages else {}
        record = replace(
            self._unfinished(cell),
            status="complete",
            accuracy=predictions.accuracy(),
            item_hash=predictions.item_hash(),
            selected_on=self.setup.provenance.selected_on or selected_on,
            fit=_plain(asdict(summary)) | operations | _plain(outcome.report) | _plain(languages),
            counted={**outcome.counts, **outcome.languages.counts()},
            timing=_timing(outcome) | self._source_timing(cell),
            peak_memory_bytes=peak_memory(self.setup.device),
            pack=tuple(member.seed for member in cells),
        )
        self._progress.activity(Activity("writing", _subject([cell])))
        try:
            self.setup.store.write(record, predictions, _saving(outcome.fitted) if self.setup.save_weights else None)
        except MethodError as error:
            return self._store_failure(cell, error)
        self.setup.store.checkpoints.drop([cell.fingerprint])
        return record

    def _source_timing(self, cell: Cell) -> dict[str, float]:
        """Seconds of the fit that a cell shares with all that adapt from it."""
        return {"source_fit_seconds": round(self._source.seconds, 3)} if cell.adapts and self._source else {}

    def _store_failure(self, cell: Cell, error: BaseException) -> Record:
        expected = isinstance(error, MethodError)
        cause = error.__cause__ if expected else error
        where = "" if cause is None else "\n" + "".join(traceback.format_exception(cause)[-3:])
        message = str(error) if expected else f"{type(error).__name__}: {error}"
        record = replace(self._unfinished(cell), error=message + where)
        self._progress.activity(Activity("writing", _subject([cell])))
        self.setup.store.write(record, None)
        self.setup.store.checkpoints.drop([cell.fingerprint])
        return record


def _subject(cells: Sequence[Cell]) -> str:
    """How progress names the runs that are fitted together: by what differs between them."""
    seeds = sorted({cell.seed for cell in cells})
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
    if not cells[0].learns_target:
        return named
    targets = list(dict.fromkeys(target for cell in cells for target in cell.targets))
    return f"{named}, {targets[0]}" + (f" and {len(targets) - 1} more" if len(targets) > 1 else "")


def _concerns_all(error: BaseException) -> bool:
    """Whether a wrong configuration or environment is at fault, so that every cell would fail alike; or all stops."""
    return isinstance(error, Stopped) or (isinstance(error, XltBenchError) and not isinstance(error, MethodError))


def _keep(fitted: Fitted, costs: Mapping[str, Any], folder: Path) -> None:
    (folder / METHOD).mkdir()
    _saving(fitted)(folder / METHOD)
    (folder / MADE).write_text(json.dumps(costs), encoding="utf-8")


def _saving(fitted: Fitted) -> Callable[[Path], None]:
    """`fitted.save`, whose own faults are the method's and not the store's."""

    def save(folder: Path) -> None:
        with calling("save"):
            fitted.save(folder)

    return save


def _plain(value: Any) -> Any:
    """As JSON has it: a method may have put numpy numbers into its summary, and NaN where it has no number."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _timing(outcome: Outcome) -> dict[str, float]:
    languages = {"language_fit_seconds": round(outcome.languages.seconds(), 3)} if outcome.languages else {}
    return {
        **languages,
        "fit_seconds": round(outcome.fit_seconds, 3),
        "predict_seconds": round(outcome.predict_seconds, 3),
        "predict_examples_per_second": round(len(outcome.predictions) / max(outcome.predict_seconds, 1e-9), 1),
    }
