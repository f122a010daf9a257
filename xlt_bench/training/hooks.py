"""What a method of the toolkit may override besides what it trains: its loss, its batches, views of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xlt_bench.backbones.batches import Batch
from xlt_bench.recipe import Recipe
from xlt_bench.task import Labelled
from xlt_bench.training.data import TrainData
from xlt_bench.training.losses import Loss, Outputs, Terms, mean_cross_entropy
from xlt_bench.training.order import Index, batch_order


class TrainingHooks:
    """Hooks of a fit; each has the usual behaviour. A base of `SoftPrompt`, `EncoderTuning` and `FullFinetuning`."""

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        """The named terms of the loss on a train batch; what is minimised is their sum.

        An overridden loss sees a batch as a whole, so that it may compare rows with each other. `batch.origin` says
        which rows are views of one item, are of one language, or say the same in different languages.
        """
        return mean_cross_entropy(outputs, batch)

    def batches(self, data: TrainData, recipe: Recipe, seed: int) -> Iterator[Index]:
        """Endless train batches, each the rows of `data.train` in it; see `xlt_bench.training.order` for some."""
        return batch_order(data.train.texts.lengths[: data.items], recipe.batch_size, seed, recipe.order)

    def views(self, train: Labelled) -> Sequence[Labelled]:
        """Further versions of the train items, item by item, such as texts with words replaced.

        They follow the items in `data.train`: row `i + k * data.items` is the k-th version of item i. Only batches
        made for it take them in.
        """
        return ()


def own_loss(hooks: TrainingHooks) -> Loss | None:
    """The loss that a method brings; None for mean cross entropy, which adds up over the parts of a batch."""
    return None if type(hooks).loss is TrainingHooks.loss else hooks.loss
