"""What is particular to a type of pre-trained model: one object that everything asks which runs a backbone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from xlt_bench.errors import ConfigError
from xlt_bench.recipe import ReadOut

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn
    from transformers import PreTrainedConfig, PreTrainedModel

SHORTEST_TEXT = 3
"""Tokens of a text that must fit: one, and the special tokens around it."""


@dataclass(frozen=True)
class Architecture:
    """An encoder that attends in both directions, as `transformers.AutoModel` loads and calls it.

    Other kinds of model are subclasses. Nothing here imports torch before a model is loaded.

    Attributes:
        model_type: as in `config.json`.
        prompt_width: length of an input embedding, which is where prompts enter.
        head_width: length of a last hidden state, which is what the head reads.
        positions: that prompt, text and special tokens can take together; None where there is no limit.
        segments: kinds of token that embeddings tell apart, for the two texts of a pair; 0 or 1: none.
        embedding_rows: ids below this number have an embedding.
        dropout: of the classification head.
        initializer_range: standard deviation of new linear layers.
        has_our_head: whether transformers' sequence classification of this type has the head that we train (on
            position 0: dense, tanh, projection), so that a soft prompt can be exported to it.
        read_outs: what a head can read, the default first.
    """

    read_outs: ClassVar[tuple[ReadOut, ...]] = ("first", "last", "mean")
    is_causal: ClassVar[bool] = False
    """Whether it is a causal language model, which can be asked for what follows a text."""

    model_type: str
    prompt_width: int
    head_width: int
    positions: int | None
    segments: int
    embedding_rows: int
    dropout: float
    initializer_range: float
    has_our_head: bool

    def check_read_out(self, read_out: ReadOut) -> None:
        """Refuse to read what tells nothing of the text, such as the first position of a decoder.

        Raises:
            ConfigError: such a read-out; the error names those that work.
        """
        if read_out not in self.read_outs:
            raise ConfigError(
                f"--read-out takes {' or '.join(self.read_outs)} for a backbone of type '{self.model_type}', "
                f"not '{read_out}'"
            )

    def check_causal(self) -> None:
        """Refuse a model that cannot be asked for what follows a text.

        Raises:
            ConfigError: it is none; with the way out.
        """
        if not self.is_causal:
            raise ConfigError(
                f"a backbone of type '{self.model_type}' is no causal language model, which this method asks; "
                "give a decoder, such as --backbone smollm2-135m (xlt-bench backbone get smollm2-135m)"
            )

    def check_languages(self, codes: Iterable[str]) -> str:
        """Refuse languages that the model cannot take; what a reader must know of those that it takes, or nothing.

        Raises:
            ConfigError: the languages that it cannot take, by name.
        """
        return ""

    def modules_of(self, codes: Sequence[str]) -> NDArray[np.int64] | None:
        """Of texts in these languages, the number of the modules that each goes through, (texts,).

        None where all texts go through the same.
        """
        return None

    def text_limit(self, max_length: int, vectors: int) -> int:
        """Tokens of a text that fit beside a prompt, at most `max_length`.

        Raises:
            ConfigError: a prompt of so many vectors leaves no room.
        """
        limit = max_length if self.positions is None else min(max_length, self.positions - vectors)
        if limit < SHORTEST_TEXT:
            raise ConfigError(
                f"a prompt of {vectors} vectors leaves no room for text: the backbone has {self.positions} positions"
            )
        return limit

    def load(self, folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, dict[str, Any]]:
        """The model in this precision, and what transformers says about its loading. Draws what it lacks at random."""
        from transformers import AutoModel

        model, report = AutoModel.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        return model, report

    def load_causal_lm(self, folder: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, dict[str, Any]]:
        """The model with its language-model head, as `load` gives the one without.

        Raises:
            ConfigError: it is no causal language model.
        """
        from transformers import AutoModelForCausalLM

        self.check_causal()
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        model, report = loaded
        return model, report

    def states(
        self,
        model: nn.Module,
        mask: Tensor,
        *,
        ids: Tensor | None = None,
        embeddings: Tensor | None = None,
        segments: Tensor | None = None,
        modules: Tensor | None = None,
    ) -> Tensor:
        """Last hidden states.

        Args:
            model: what `load` gave, perhaps with further modules in it.
            mask: (items, positions), 1 where there is a token; padding stands on the right.
            ids: token ids, (items, positions).
            embeddings: in place of ids, (items, positions, prompt width).
            segments: which text of a pair a token belongs to, (items, positions); None: all of them to the first.
            modules: numbers as `modules_of` gives them, (items,).

        Returns:
            shape (items, positions, head width), in the model's precision.
        """
        inputs = {"input_ids": ids, "inputs_embeds": embeddings, "token_type_ids": segments}
        inputs = {name: value for name, value in inputs.items() if value is not None}
        outputs = model(attention_mask=mask, **inputs, **self.arguments(mask, modules))
        states: Tensor = outputs.last_hidden_state
        return states

    def arguments(self, mask: Tensor, modules: Tensor | None) -> dict[str, Any]:
        """What else the model is called with."""
        return {}


def free_positions(config: PreTrainedConfig, counted_from: int = 0) -> int:
    """Positions that tokens can take, where the first token has this position id."""
    return int(config.max_position_embeddings) - counted_from


_HEAD_DROPOUT = (
    "classifier_dropout",
    "classifier_dropout_prob",
    "seq_classif_dropout",
    "hidden_dropout_prob",
    "dropout_rate",
    "dropout",
)
"""Names that configurations give to the dropout of a classification head, or else to that of the whole model."""


def head_dropout(config: PreTrainedConfig) -> float:
    """Dropout of a classification head; none where the configuration names none."""
    values = (getattr(config, name, None) for name in _HEAD_DROPOUT)
    return next((float(value) for value in values if value is not None), 0.0)


def initializer_range(config: PreTrainedConfig) -> float:
    """Standard deviation of new linear layers; 0.02, which is usual, where the configuration has none."""
    values = (getattr(config, name, None) for name in ("initializer_range", "init_std"))
    return next((float(value) for value in values if value is not None), 0.02)
