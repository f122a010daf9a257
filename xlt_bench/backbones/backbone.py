"""The frozen backbone: tokenizer and model, shared by every method and seed of a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from xlt_bench.backbones.architectures import Architecture
from xlt_bench.backbones.batches import Batch
from xlt_bench.backbones.folder import first_line
from xlt_bench.backbones.read_out import read
from xlt_bench.backbones.source import BackboneSource, Precision
from xlt_bench.backbones.token_cache import TokenCache
from xlt_bench.backbones.tokenised import Texts, Tokenised
from xlt_bench.errors import BackboneError, XltBenchError
from xlt_bench.recipe import ReadOut

if TYPE_CHECKING:  # methods import this file, and planning their runs needs no transformers, which takes seconds
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xlt_bench.backbones.lean import LeanEncoder
    from xlt_bench.backbones.lm_head import LmHead

Loading = Callable[[Path, torch.dtype], "tuple[PreTrainedModel, dict[str, Any]]"]


@contextmanager
def quiet() -> Iterator[None]:
    """No loading bar, and no report of the language-model head that a classifier leaves out."""
    from transformers.utils import logging as transformers_logging

    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


class Backbone:
    """A pre-trained model, frozen, with its tokenizer. How it is called, its architecture says.

    Args:
        source: where its files lie (`xlt_bench.backbones.source.locate`).
        device: a torch device name.
        precision: with `bf16` the frozen weights lie in bfloat16, once; what is trained stays float32.
    """

    def __init__(self, source: BackboneSource, device: str = "cpu", precision: Precision = "fp32") -> None:
        self.source = source
        self.device = torch.device(device)
        self.precision = precision
        kinds = " segments" if source.architecture.segments > 1 else ""
        self._tokens = TokenCache(f"{source.fingerprint}{kinds}")

    @property
    def architecture(self) -> Architecture:
        """Widths, positions, segments, and how the model is called."""
        return self.source.architecture

    @cached_property
    def encoder(self) -> PreTrainedModel:
        """The model without any head, in float32 and eval mode, no parameter requiring a gradient."""
        return self.fresh_encoder().requires_grad_(False)

    @cached_property
    def frozen(self) -> PreTrainedModel:
        """The encoder in the precision of the forward pass: in bfloat16 it is one of its own."""
        if self.precision == "fp32":
            return self.encoder
        return self._load(torch.bfloat16, self.architecture.load).requires_grad_(False)

    @cached_property
    def causal_lm(self) -> PreTrainedModel:
        """The model with its language-model head, in the precision of the forward pass; frozen, in eval mode.

        Raises:
            ConfigError: the backbone is no causal language model.
            BackboneError: its weights lack the head.
        """
        dtype = torch.float32 if self.precision == "fp32" else torch.bfloat16
        return self._load(dtype, self.architecture.load_causal_lm, "a language model").requires_grad_(False)

    @property
    def shared(self) -> PreTrainedModel:
        """What texts go through: the language model where it is loaded, else the encoder."""
        return self.causal_lm if "causal_lm" in vars(self) else self.frozen

    @cached_property
    def lean(self) -> LeanEncoder | None:
        """The quick computation of `frozen` for prompts before texts; None for architectures that it does not know."""
        from xlt_bench.backbones.lean import lean_encoder

        return lean_encoder(self.frozen)

    @cached_property
    def lm_head(self) -> LmHead:
        """The masked language model head, frozen, in float32.

        Raises:
            BackboneError: the backbone's files hold none.
        """
        from xlt_bench.backbones.lm_head import load_lm_head

        with quiet():
            return load_lm_head(self.source).to(self.device)

    def fresh_encoder(self) -> PreTrainedModel:
        """A model of its own, trainable: for methods that change its weights. In float32 and eval mode."""
        return self._load(torch.float32, self.architecture.load)

    def _load(self, dtype: torch.dtype, load: Loading, kind: str = "an encoder") -> PreTrainedModel:
        try:
            # what the files lack (a pooler) is drawn at random; a seed must give the same whoever loads first
            with quiet(), torch.random.fork_rng(devices=[]):
                model, report = load(self.source.folder, dtype)
        except XltBenchError:
            raise
        except Exception as error:  # transformers and safetensors raise many unrelated classes for a broken folder
            raise BackboneError(
                f"backbone '{self.source.name}' cannot be loaded as {kind}: {first_line(error)}"
            ) from error
        self._check_whole(report)
        parts: Any = model
        if getattr(parts, "pooler", None) is not None:  # the head reads hidden states itself
            parts.pooler = None
        encoder: PreTrainedModel = parts.to(self.device, dtype).eval()  # some types keep a part in float32 otherwise
        return encoder

    def _check_whole(self, report: dict[str, Any]) -> None:
        """Refuse weights that do not fill the model: what they lack would silently be random."""
        missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
        missing += sorted(str(key[0]) for key in report["mismatched_keys"])
        if missing:
            raise BackboneError(
                f"backbone '{self.source.name}': its weights do not fill the architecture of its config.json; "
                f"{len(missing)} parameters are missing or of another shape, such as {missing[0]}; "
                "save model and config together with save_pretrained"
            )

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer as transformers loads it."""
        return self.source.tokenizer

    @cached_property
    def pad_id(self) -> int:
        """Of the padding token."""
        pad_id = self.tokenizer.pad_token_id
        assert isinstance(pad_id, int), "checked when the backbone was located"
        return pad_id

    def tokenise(self, texts: Texts, max_length: int) -> Tokenised:
        """Token ids with special tokens, cut at `max_length`; computed once for the same texts."""
        segments = self.architecture.segments > 1
        return self._tokens.get(
            texts, max_length, lambda: Tokenised.of(self.tokenizer, texts, max_length, segments), self.pad_id
        )

    def tokenise_by(self, form: str, texts: Texts, max_length: int, encode: Callable[[], Tokenised]) -> Tokenised:
        """Ids of these texts as `encode` gives them, without segments; computed once for the same texts and form.

        Args:
            form: identifies what `encode` does with texts, such as a template.
        """
        return self._tokens.get(texts, max_length, encode, self.pad_id, form)

    def embed(self, batch: Batch) -> Tensor:
        """Input embeddings of a batch's tokens, shape (items, tokens, prompt width), without positions."""
        embedded: Tensor = self.frozen.get_input_embeddings()(batch.ids.to(self.device))
        return embedded

    def hidden(self, prompts: Tensor, batch: Batch, read_out: ReadOut) -> Tensor:
        """What the head reads of texts behind prompts.

        Args:
            prompts: one for each text, (items, n, prompt width); position ids count from the first vector on.
            batch: the texts.
            read_out: which state, where the batch has no blanks.

        Returns:
            shape (items, head width), float32.
        """
        vectors = prompts.shape[1]
        embeddings = torch.cat([prompts, self.embed(batch)], 1).to(self.frozen.dtype)
        mask = functional.pad(batch.mask, (vectors, 0), value=1).to(self.device)
        segments = None if batch.segments is None else functional.pad(batch.segments, (vectors, 0)).to(self.device)
        states = self.architecture.states(
            self.frozen, mask, embeddings=embeddings, segments=segments, modules=batch.modules
        )
        return read(states, batch.mask, read_out, batch.blanks)

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 matrix products where the precision asks for them: for encoders whose weights are trained."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def weights_hash(self) -> str:
        """Hash of every weight as it lies in memory: shows that the backbone stayed frozen."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.shared.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
