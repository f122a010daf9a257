"""What a method of the toolkit may override besides what it trains: its loss, its batches, views of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context
from xlt_bench.plugins.hyperparameters import optional
from xlt_bench.recipe import Recipe
from xlt_bench.resources import SOURCE_PARALLEL
from xlt_bench.task import Example, Labelled
from xlt_bench.training.consistency import CONSISTENCY, disagreement
from xlt_bench.training.data import TrainData
from xlt_bench.training.losses import Loss, Outputs, Terms, mean_cross_entropy
from xlt_bench.training.order import Index, batch_order, pairs


@dataclass(frozen=True, kw_only=True)
class TrainingHooks:
    """Hooks of a fit; each has the usual behaviour. A base of `SoftPrompt`, `EncoderTuning` and `FullFinetuning`.

    Args:
        consistency: weight of a term that pulls the predictions of parallel source items together; 0: none.
    """

    consistency: float = optional(0.0)

    def __post_init__(self) -> None:
        if self.consistency < 0.0:
            raise ConfigError(f"consistency is a weight of at least 0, not {self.consistency:g}")
        if self.consistency and type(self).batches is not TrainingHooks.batches:
            raise ConfigError(
                f"{type(self).__name__} makes batches of its own, and consistency needs batches of pairs; "
                "leave consistency out"
            )

    @property
    def needs(self) -> frozenset[str]:
        """Resources beside labelled sources: which source items are parallel, where consistency pairs them."""
        return frozenset({SOURCE_PARALLEL} if self.consistency else ())

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        """The named terms of the loss on a train batch; what is minimised is their sum.

        An overridden loss sees a batch as a whole, so that it may compare rows with each other. `batch.origin` says
        which rows are views of one item, are of one language, or say the same in different languages.
        """
        return mean_cross_entropy(outputs, batch)

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        """Endless train batches, each the rows of `data.train` in it; see `xlt_bench.training.order` for some."""
        if self.consistency:
            return pairs(data, recipe.batch_size, seed)
        return batch_order(data.train.texts.lengths[: data.items], recipe.batch_size, seed, recipe.order)

    def views(self, train: Labelled) -> Sequence[Labelled]:
        """Further versions of the train items, item by item, such as texts with words replaced.

        They follow the items in `data.train`: row `i + k * data.items` is the k-th version of item i. Only batches
        made for it take them in.
        """
        return ()

    def unlabelled(self, context: Context) -> Sequence[Example]:
        """Texts without labels, such as a resource has them.

        They follow the items and their versions in `data.train`, in this order, with the class NO_CLASS. Only batches
        made for it take them in, and only a loss made for it may see them.
        """
        return ()

    @property
    def has_own_loss(self) -> bool:
        """Whether the loss is more than mean cross entropy, which adds up over the parts of a batch."""
        return type(self).loss is not TrainingHooks.loss or bool(self.consistency)


def whole_loss(hooks: TrainingHooks) -> Loss:
    """What is minimised on a train batch: the method's loss, and the term that its consistency adds."""

    def terms(outputs: Outputs, batch: Batch) -> Terms:
        return {**hooks.loss(outputs, batch), CONSISTENCY: hooks.consistency * disagreement(outputs.logits)}

    return terms if hooks.consistency else hooks.loss


def own_loss(hooks: TrainingHooks) -> Loss | None:
    """`whole_loss`; None where it is mean cross entropy, which adds up over the parts of a batch."""
    return whole_loss(hooks) if hooks.has_own_loss else None
