"""The frozen backbone: tokenizer and encoder, shared by every method and seed of a process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from xlt_bench.backbones.batches import Batch, Tokenised
from xlt_bench.backbones.lean import LeanEncoder, lean_encoder
from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.backbones.token_cache import TokenCache
from xlt_bench.errors import BackboneError


@contextmanager
def quiet() -> Iterator[None]:
    """No loading bar, and no report of the language-model head that a classifier leaves out."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


class Backbone:
    """A pre-trained encoder, frozen, with its tokenizer.

    Args:
        source: where its files lie (`xlt_bench.backbones.source.locate`).
        device: a torch device name.
        precision: with `bf16` the frozen weights lie in bfloat16, once; what is trained stays float32.
    """

    def __init__(self, source: BackboneSource, device: str = "cpu", precision: Precision = "fp32") -> None:
        self.source = source
        self.device = torch.device(device)
        self.precision = precision
        self._tokens = TokenCache(source.fingerprint)

    @cached_property
    def encoder(self) -> PreTrainedModel:
        """The encoder without any head, in float32 and eval mode, no parameter requiring a gradient."""
        return self.fresh_encoder().requires_grad_(False)

    @cached_property
    def frozen(self) -> PreTrainedModel:
        """The encoder in the precision of the forward pass: in bfloat16 it is one of its own."""
        if self.precision == "fp32":
            return self.encoder
        encoder: Any = self.fresh_encoder().requires_grad_(False)
        frozen: PreTrainedModel = encoder.to(torch.bfloat16)
        return frozen

    @cached_property
    def lean(self) -> LeanEncoder | None:
        """The quick computation of `frozen` for prompts before texts; None for architectures that it does not know."""
        return lean_encoder(self.frozen)

    def fresh_encoder(self) -> PreTrainedModel:
        """An encoder of its own, trainable: for methods that change its weights. In eval mode."""
        try:
            # what the files lack (a pooler) is drawn at random; a seed must give the same whoever loads first
            with quiet(), torch.random.fork_rng(devices=[]):
                model, told = AutoModel.from_pretrained(
                    self.source.folder, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
                )
        except Exception as error:  # transformers and safetensors raise many unrelated classes for a broken folder
            raise BackboneError(
                f"backbone '{self.source.name}' cannot be loaded as an encoder: {_first_line(error)}"
            ) from error
        self._check_whole(told)
        if getattr(model, "pooler", None) is not None:  # the head reads position 0 itself
            model.pooler = None
        encoder: PreTrainedModel = model.to(self.device).eval()
        return encoder

    def _check_whole(self, told: dict[str, Any]) -> None:
        """Refuse weights that do not fill the encoder: what they lack would silently be random."""
        lacking = sorted(key for key in told["missing_keys"] if not key.startswith("pooler."))
        lacking += sorted(str(key[0]) for key in told["mismatched_keys"])
        if lacking:
            raise BackboneError(
                f"backbone '{self.source.name}': its weights do not fill the architecture of its config.json; "
                f"{len(lacking)} parameters are missing or of another shape, such as {lacking[0]}; "
                "save model and config together with save_pretrained"
            )

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer as transformers loads it."""
        try:
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(self.source.folder, use_fast=True)
            return tokenizer
        except Exception as error:  # as above
            raise BackboneError(
                f"backbone '{self.source.name}': its tokenizer cannot be loaded: {_first_line(error)}"
            ) from error

    @property
    def width(self) -> int:
        """d, the length of an input embedding."""
        return int(self._embedding.embedding_dim)

    @property
    def dropout(self) -> float:
        """Dropout of the classification head, as the model's configuration has it."""
        config = self.frozen.config
        chosen = getattr(config, "classifier_dropout", None)
        return float(chosen if chosen is not None else getattr(config, "hidden_dropout_prob", 0.0))

    @property
    def initializer_range(self) -> float:
        """Standard deviation of new linear layers, as the model's configuration has it."""
        return float(getattr(self.frozen.config, "initializer_range", 0.02))

    @property
    def max_positions(self) -> int:
        """Positions that the encoder can tell apart, prompt and special tokens included."""
        config = self.frozen.config
        positions = int(getattr(config, "max_position_embeddings", 1 << 20))
        return positions - 2 if "roberta" in str(getattr(config, "model_type", "")) else positions

    @property
    def _embedding(self) -> nn.Embedding:
        embedding = self.frozen.get_input_embeddings()
        assert isinstance(embedding, nn.Embedding)
        return embedding

    def tokenise(self, texts: Sequence[tuple[str, str | None]], max_length: int) -> Tokenised:
        """Token ids with special tokens, cut at `max_length`; computed once for the same texts."""
        pad_id = int(self.tokenizer.pad_token_id)
        return self._tokens.get(texts, max_length, lambda: Tokenised.of(self.tokenizer, texts, max_length), pad_id)

    def words(self, batch: Batch) -> Tensor:
        """Input embeddings of a batch's tokens, shape (items, tokens, d), without positions."""
        embedded: Tensor = self._embedding(batch.ids.to(self.device))
        return embedded

    def first(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        """Last hidden state at position 0.

        Args:
            embeddings: input embeddings, (items, positions, d); position ids count from the first one on.
            mask: (items, positions), 1 where there is a token.

        Returns:
            shape (items, d), float32.
        """
        given = embeddings.to(self.frozen.dtype)
        output = self.frozen(inputs_embeds=given, attention_mask=mask.to(self.device))
        hidden: Tensor = output.last_hidden_state[:, 0].float()
        return hidden

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 matrix products where the precision asks for them: for encoders whose weights are trained."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def weights_hash(self) -> str:
        """Hash of every weight as it lies in memory: shows that the backbone stayed frozen."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.frozen.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
