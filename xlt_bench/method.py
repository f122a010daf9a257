"""The Method protocol: what a way of tuning must offer, and what the harness hands to it.

A method's hyper-parameters are the fields of a frozen dataclass; fitted state is another object. See
`docs/adding-a-method.md` for a method written from scratch and for a soft prompt in about 40 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.errors import MethodError
from xlt_bench.io.stop_signals import StopSignals
from xlt_bench.resources.base import Resources, Text
from xlt_bench.task import Example, Labelled

if TYPE_CHECKING:
    from torch import Tensor

    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.recipe import Recipe

Scores = NDArray[np.float32]


ActivityName = Literal["waiting", "loading", "encoding", "training", "predicting", "writing"]


@dataclass(frozen=True)
class Activity:
    """What a run is doing, and how far it is.

    Attributes:
        name: the kind of work.
        subject: of what, such as `seed 0` or a backbone's name.
        completed, total: how many units are complete, of how many; None: nobody knows.
        unit: what is counted, in the singular.
        items: texts handled so far, for a rate; 0 where none are counted.
    """

    name: ActivityName
    subject: str = ""
    completed: int = 0
    total: int | None = None
    unit: str = ""
    items: int = 0


class Progress(Protocol):
    """Where a method tells how far it is. Calls are cheap; a method that never calls them works too."""

    def activity(self, activity: Activity) -> None:
        """Something begins, or is further than when it was last told."""

    def step(self, seed: int, steps: int, total: int, loss: float, examples: int) -> None:
        """The `steps`-th optimiser step of `total` is done; `examples` were seen in it."""

    def evaluated(self, seed: int, steps: int, dev_accuracy: float) -> None:
        """The dev split was scored after so many steps; `dev_accuracy` lies in [0, 1]."""

    def note(self, text: str) -> None:
        """Something that a reader of the log should know, in one line."""


class Silent:
    """A Progress that shows nothing."""

    def activity(self, activity: Activity) -> None:
        """Show nothing."""

    def step(self, seed: int, steps: int, total: int, loss: float, examples: int) -> None:
        """Show nothing."""

    def evaluated(self, seed: int, steps: int, dev_accuracy: float) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Snapshot:
    """The state of a fit under way: tensors by name, and plain data as JSON has it."""

    tensors: Mapping[str, Tensor]
    plain: Mapping[str, Any]


class Checkpoints(Protocol):
    """Keeps the fits of a pack while they are under way; the toolkit's trainer uses it (docs/checkpoints.md).

    Attributes:
        seconds: from one checkpoint of a fit to the next at the latest, where writing them is cheap.
        share: of the time that writing them may take.
        stop_signals: by which a scheduler asks to leave.
    """

    @property
    def seconds(self) -> float: ...

    @property
    def share(self) -> float: ...

    @property
    def stop_signals(self) -> StopSignals: ...

    def next_name(self, fit: str) -> str:
        """The name of the next training of a fit; a method may train several times in one fit."""

    def read(self, name: str, context: Context) -> Snapshot | None:
        """The checkpoint of a training; None where there is none that can be used, and `context` is told why."""

    def write(self, name: str, snapshot: Snapshot) -> None:
        """Keep this in place of an older one.

        Raises:
            StoreError: the disk does not take it, or the claim on the run is lost.
        """

    def counted(self) -> Mapping[str, float]:
        """What the fits of the pack took up to now."""

    def updates(self, parameters: Sequence[Tensor]) -> list[int]:
        """How often each of these parameters was updated up to now."""

    def count_earlier(self, counted: Mapping[str, float], updates: Sequence[tuple[Tensor, int]]) -> None:
        """Add what fits took before they were cut off."""


@dataclass(frozen=True)
class LanguageSummary:
    """What a Record tells of the fit of a language.

    Attributes:
        texts: that it had, held out ones included.
        held_out: of these, how many only selected the weights.
        steps: optimiser steps done.
        selected_step: the step whose weights were kept.
        loss_before, loss_after: mean loss of a hidden token of the held-out texts, in nats, with the masks of all
            evaluations alike: without what is trained here, and with the weights that were kept.
        trained_parameters: how many numbers were trained.
    """

    texts: int
    held_out: int
    steps: int
    selected_step: int
    loss_before: float
    loss_after: float
    trained_parameters: int


@dataclass(frozen=True)
class LanguageFit:
    """What was learned from a language's unlabelled text; the harness stores it.

    Attributes:
        weights: tensors by name, on the CPU.
    """

    weights: Mapping[str, Tensor]
    summary: LanguageSummary


@dataclass(frozen=True)
class LanguageFits:
    """The language fits that a fit on labels, and what it fitted, may use.

    Attributes:
        fits: by language code; each is read when it is asked for.
        labelled: codes of the languages that are fitted on labels first: the sources, or a target without sources.
    """

    fits: Mapping[str, LanguageFit] = field(default_factory=lambda: MappingProxyType({}))
    labelled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a fit may use besides its data. There is no target data in it but what the method declares (`needs`).

    Attributes:
        labels: class names; the scores of `Fitted.predict` have one column for each.
        seed: everything random in the fit must follow from it.
        recipe: budget and optimisation (steps, batch size, learning rates, schedule, dev evaluation, patience).
        device: a torch device name, `cpu` or `cuda`.
        precision: of the forward pass; parameters that are trained stay float32.
        resources: what the method declares in `needs`, by name; any other is refused with a MethodError.
        languages: the fits of the languages with labels, and of the targets whose unlabelled text the method declares;
            empty but for a method with a language stage (`WithLanguageStage`).
        checkpoints: keeps the fit while it is under way; None: nobody does.
        fit: the name of the fit among checkpoints.
    """

    labels: tuple[str, ...]
    seed: int
    recipe: Recipe
    device: str = "cpu"
    precision: Precision = "fp32"
    progress: Progress = field(default_factory=Silent)
    load_backbone: Callable[[], Backbone] | None = None
    resources: Resources = field(default_factory=Resources)
    languages: LanguageFits = field(default_factory=LanguageFits)
    checkpoints: Checkpoints | None = None
    fit: str = ""

    @property
    def backbone(self) -> Backbone:
        """The frozen backbone, loaded at first use; methods that ask for none never load one."""
        if self.load_backbone is None:
            raise MethodError("this method says it uses no backbone (uses_backbone = False) but asks for one")
        return self.load_backbone()


@dataclass(frozen=True)
class DevPoint:
    """One evaluation of the dev split during a fit.

    Attributes:
        step: optimiser steps done.
        train_loss: mean over the steps since the evaluation before, with all its terms.
        dev_loss: mean cross entropy.
        dev_accuracy: in [0, 1].
        terms: of the train loss, by name, as means over the same steps.
    """

    step: int
    train_loss: float
    dev_loss: float
    dev_accuracy: float
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FitSummary:
    """What a Record tells of a fit.

    Attributes:
        trainable_parameters: how many numbers were trained.
        steps: optimiser steps done (early stopping may end before the budget); 0 where no optimiser makes any. The
            harness counts them too.
        selected_step: the step whose parameters were kept, None where there was nothing to select; without an
            optimiser, the number in the history of what was kept.
        history: dev evaluations in order.
    """

    trainable_parameters: int = 0
    steps: int = 0
    selected_step: int | None = None
    history: tuple[DevPoint, ...] = ()


@runtime_checkable
class Fitted(Protocol):
    """A fitted method."""

    summary: FitSummary

    def predict(self, examples: Sequence[Example]) -> Scores:
        """Scores of shape (items, classes), float32, in the order given; the greatest is the prediction.

        The ids of what is to be predicted are mere numbers. A row of NaN abstains, where the method's class says
        `abstains = True`; it counts as wrong.
        """

    def save(self, folder: Path) -> None:
        """Write safetensors and JSON (nothing pickled) from which the method's `load` restores this object."""


class PackError(MethodError):
    """Some seeds (or targets) that were trained in one pass failed; the others are fitted all the same.

    Attributes:
        outcomes: one for each context, in order: a fitted object, or the error of its failure.
    """

    def __init__(self, outcomes: Sequence[Fitted | MethodError]) -> None:
        self.outcomes = tuple(outcomes)
        failures = [outcome for outcome in outcomes if isinstance(outcome, MethodError)]
        super().__init__(f"{len(failures)} of {len(outcomes)} trained together failed; the first: {failures[0]}")


@runtime_checkable
class Method(Protocol):
    """A way of tuning. Implementations are frozen dataclasses whose fields are hyper-parameters.

    Attributes:
        uses_backbone: False for methods that need none; backbone, preset and precision are then no part of the
            identity of their runs.

    Optional class attributes: `tunes`, names of hyper-parameters that `xlt-bench tune` varies, in place of the learning
    rates of the recipe (see `xlt_bench.tuning.space`); `needs`, the names of resources that it uses beside labelled
    sources (see `xlt_bench.resources`), which may be a property that looks at hyper-parameters; `reads_text = False` of
    a floor that gives every text the same scores (see `xlt_bench.conformance`); `procedure`, a few words on how it
    fits, of a method that takes no optimiser steps from the recipe: announced in place of a number of steps;
    `abstains = True` of one that may answer an item with no class, by a row of NaN; `asks_backbone = True` of one whose
    backbone must be a causal language model; `fills_mask = True` of one that reads classes off the masked language
    model head of its backbone, and so trains no head; `uses_seed = False` of one whose fits on the same items are the
    same for every seed, so that one run is all of it. Optional abilities are the protocols below.
    """

    uses_backbone: ClassVar[bool]

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> Fitted:
        """Fit on the source languages. `dev` is of the source languages too, and selects the checkpoint."""

    def load(self, folder: Path, context: Context) -> Fitted:
        """Restore what `Fitted.save` wrote."""


@runtime_checkable
class WithRecipe(Protocol):
    """A method that brings its own part of a recipe: rates of roles that only it has, or another optimiser.

    One without this gets what the preset holds for all methods.
    """

    def recipe_for(self, preset: str, common: Recipe) -> Recipe:
        """The recipe of this method.

        Args:
            preset: the preset's name (`xlt_bench.recipe.PRESETS`).
            common: what it holds for all methods; a frozen dataclass, so changes are copies (`common.with_roles`).
        """


@runtime_checkable
class Prompting(Protocol):
    """A method that trains nothing: it asks a language model, perhaps with labelled source examples in the prompt.

    Its runs have no recipe. With demonstrations they follow from the seed; without, there are no sources
    (`--sources none`) and nothing random. Boards rank its runs among themselves, whatever the model.
    """

    @property
    def demonstrations(self) -> int:
        """How many labelled source examples stand in the prompt."""

    def prompt(self, resources: Resources) -> Mapping[str, Any]:
        """What identifies the prompt beside hyper-parameters and backbone, as plain data.

        Returns:
            `template`, the text around an item; `demonstrations`, their number; `model`, where it is no backbone.
        """


@runtime_checkable
class WithBackboneCheck(Method, Protocol):
    """A method that not every backbone serves."""

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse a backbone, from its files alone, before anything is computed.

        Raises:
            XltBenchError: why, and the way out.
        """


@runtime_checkable
class WithTaskCheck(Method, Protocol):
    """A method that not every task's classes serve, such as one that looks for their names in the vocabulary."""

    def check_task(
        self, labels: Sequence[str], resources: Resources, source: BackboneSource, recipe: Recipe, vectors: int
    ) -> str:
        """Refuse classes, or what is given for them, before anything is computed.

        Args:
            labels: names of the classes.
            resources: as a fit will have them.
            source: the backbone.
            recipe: of the fit.
            vectors: positions that the method takes from the text (`positions`).

        Returns:
            What a reader of the numbers must know, a sentence; or nothing.

        Raises:
            XltBenchError: why, and the way out.
        """


@runtime_checkable
class WithLanguageCheck(Method, Protocol):
    """A method that not every choice of sources and targets serves."""

    def check_languages(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Refuse languages before anything is computed.

        Args:
            sources: codes; none where each target's own labels are learned from.
            targets: those that the fit on labels may know: none where it comes before all targets.

        Raises:
            XltBenchError: why, and the way out.
        """


@runtime_checkable
class WithLanguageStage(Method, Protocol):
    """A method that learns something of each language from unlabelled text, before it sees a label.

    The harness fits each language once, stores the fit, and shares it between seeds, sources and targets. Its budget is
    `recipe.language`, which `recipe_for` sets.
    """

    def language_settings(self) -> Mapping[str, Any]:
        """The hyper-parameters that a language fit follows from, as plain data: fits that agree in them are shared."""

    def fit_language(self, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
        """Learn from the texts of one language.

        Args:
            language: its code.
            texts: without labels, ids and order; of a language with labels, those of its train split.
            context: with a seed that is the same for all runs, and without resources.
        """


@runtime_checkable
class Reporting(Fitted, Protocol):
    """A fitted method that has more to tell of items than their classes."""

    def report(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """Plain data, such as how often each of several prompts was taken in each language.

        Called once a run, with all that was predicted; the Record has it under `fit`, as `report`.
        """


@runtime_checkable
class Adaptable(Fitted, Protocol):
    """A fitted method that can go on learning from a target language's labelled split."""

    def adapt(self, train: Labelled, dev: Labelled, context: Context) -> Fitted:
        """A new fitted object; this one stays as it is."""


@runtime_checkable
class PackAdaptable(Adaptable, Protocol):
    """A fitted method that can adapt to several targets in one pass over the shared frozen backbone."""

    def adapt_many(
        self, trains: Sequence[Labelled], devs: Sequence[Labelled], contexts: Sequence[Context]
    ) -> list[Fitted]:
        """One new fitted object for each target; the three lists belong together one by one.

        Raises:
            PackError: some of them failed; the error has the others.
        """


@runtime_checkable
class Packable(Method, Protocol):
    """A method that can train several seeds in one pass over the shared frozen backbone."""

    def fit_many(self, train: Labelled, dev: Labelled, contexts: Sequence[Context]) -> list[Fitted]:
        """One fitted object for each context; the contexts differ in their seed only.

        Raises:
            PackError: some of them failed; the error has the others.
        """
