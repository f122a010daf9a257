"""After RoSPrompt (Philippy et al., 2025): spt-verbaliser, kept near what the model says without the prompt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from xlt_bench.backbones.batches import Batch
from xlt_bench.errors import ConfigError
from xlt_bench.methods.spt_verbaliser import SPTVerbaliser
from xlt_bench.training.losses import CROSS_ENTROPY, Outputs, Terms, gold_of
from xlt_bench.verbaliser.fitted import head_of

PENALTY = "penalty"
"""Name of the term that holds the prompted answers near the unprompted ones."""


@dataclass(frozen=True, kw_only=True)
class RoSPromptLike(SPTVerbaliser):
    """spt-verbaliser with label words of several languages, label smoothing, and a penalty on what the prompt changes.

    Args:
        smoothing: share of the gold class that all classes share in cross entropy, from 0 to less than 1.
        penalty: weight of the divergence of the words at the mask from those without the prompt; 0: none.
        n_tokens: vectors of the prompt; with 0 nothing is trained, and the method is nppprompt.
        template: `about`, `kind`, `news`, `sentiment`, `entailment`, or `file` for that of --resource template=FILE.
        label_words: whether the words for the classes come from --resource label-words=FILE, those of all its
            languages together; else from the classes' names.
        neighbours: tokens that stand for a word: the nearest by the cosine of input embeddings, itself included.
        calibration: none, contextual or batch; divides the classes' shares by their mean over texts that say nothing,
            or over the unlabelled train texts of the language. It takes no part in fitting.
    """

    label_words: bool = True
    smoothing: float = 0.1
    penalty: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.smoothing < 1.0 or self.penalty < 0.0:
            raise ConfigError(
                "rosprompt-like needs 0 <= smoothing < 1 and a penalty of at least 0, "
                f"not smoothing={self.smoothing:g}, penalty={self.penalty:g}"
            )

    def loss(self, outputs: Outputs, batch: Batch) -> Terms:
        """Smoothed cross entropy, and the penalty."""
        gold = gold_of(batch).to(outputs.logits.device)
        smoothed = functional.cross_entropy(outputs.logits, gold, label_smoothing=self.smoothing)
        if not self.penalty:
            return {CROSS_ENTROPY: smoothed}
        return {CROSS_ENTROPY: smoothed, PENALTY: self.penalty * shift(outputs, batch)}


def shift(outputs: Outputs, batch: Batch) -> Tensor:
    """Mean over texts of the divergence KL(without the prompt, with it) of all words at the mask, in nats, a scalar.

    What the model says without the prompt has no gradient and no dropout.
    """
    head = head_of(outputs.module)
    with torch.no_grad():
        without = head.vocabulary_logits(head.states_without_prompt(batch)).log_softmax(1)
    prompted = head.vocabulary_logits(outputs.states).log_softmax(1)
    return functional.kl_div(prompted, without, reduction="batchmean", log_target=True)
