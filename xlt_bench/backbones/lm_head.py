"""The masked language model head of a backbone: from hidden states back to words.

The head is transformers' own class for the type of model (`AutoModelForMaskedLM`) with its encoder taken out, so that
any encoder may stand before it, such as one with adapters inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from xlt_bench.backbones.folder import check_files, read_config
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.models.luke.modeling_luke import BaseLukeModelOutput


class LmHead(nn.Module):
    """A frozen head.

    Args:
        model: a masked language model; its encoder is taken out.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self._encoder = _Given()
        setattr(model, model.base_model_prefix, self._encoder)
        self._model = model

    def transform(self) -> nn.Module:
        """A copy of what stands before the last layer, trainable; of heads of BERT's and RoBERTa's build."""
        model: Any = self._model
        layers: nn.Module
        if hasattr(model, "cls"):
            layers = model.cls.predictions.transform
        else:
            layers = nn.Sequential(model.lm_head.dense, nn.GELU(), model.lm_head.layer_norm)
        return deepcopy(layers).requires_grad_(True)

    def forward(self, states: Tensor, output: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Logits of the words, (n, vocabulary), from last hidden states, (n, head width).

        Args:
            states: of the positions that are to be guessed.
            output: what happens to the input of the last layer, whose rows are the words' embeddings, (1, n, width);
                None: nothing.
        """
        self._encoder.states = states.unsqueeze(0)
        ids = torch.zeros(1, len(states), dtype=torch.int64, device=states.device)
        try:
            with _before(self._model.get_output_embeddings(), output):
                # not a call: nothing goes through a backbone here that hooks should count
                logits: Tensor = self._model.forward(input_ids=ids).logits[0]
        finally:
            self._encoder.states = None
        return logits


@contextmanager
def _before(layer: nn.Module, function: Callable[[Tensor], Tensor] | None) -> Iterator[None]:
    """Within, a layer's input goes through the function first."""
    if function is None:
        yield
        return
    handle = layer.register_forward_pre_hook(lambda layer, inputs: (function(inputs[0]), *inputs[1:]))
    try:
        yield
    finally:
        handle.remove()


class _Given(nn.Module):
    """In the place of an encoder: gives the states that were handed to it, with the fields that any head asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.states: Tensor | None = None

    def forward(self, *unused: Any, **unused_by_name: Any) -> BaseLukeModelOutput:
        from transformers.models.luke.modeling_luke import BaseLukeModelOutput

        return BaseLukeModelOutput(last_hidden_state=self.states)


def masked_lm_skeleton(source: BackboneSource) -> PreTrainedModel:
    """The masked language model of a backbone without any weights, on the meta device; nothing large is read.

    Raises:
        BackboneError: transformers has none for this type of model.
    """
    from transformers import AutoModelForMaskedLM

    try:
        with torch.device("meta"):
            model: PreTrainedModel = AutoModelForMaskedLM.from_config(read_config(source.name, source.folder))
    except ValueError as error:
        raise _refusal(source, f"type '{source.architecture.model_type}' has none") from error
    return model


def check_lm_head(source: BackboneSource) -> None:
    """Refuse a backbone whose files hold no masked language model head, from the names of its weights alone.

    Raises:
        BackboneError: what is missing, and which backbones have it; or there is no token to hide words with.
    """
    model = masked_lm_skeleton(source)
    names_of: defaultdict[int, list[str]] = defaultdict(list)  # tied weights have several names and one place
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names_of[id(parameter)].append(name)
    encoder = f"{model.base_model_prefix}."
    stored = set(_stored_names(source))
    for names in names_of.values():
        if not any(name.startswith(encoder) or name in stored for name in names):
            raise _refusal(source, f"its files lack {names[0]}")
    if source.tokenizer.mask_token_id is None:
        raise BackboneError(
            f"backbone '{source.name}': its tokenizer has no mask token, which the method puts in the place of words; "
            "set tokenizer.mask_token to the token that the model was trained with and save the tokenizer again"
        )


def load_lm_head(source: BackboneSource) -> LmHead:
    """The head in float32 and eval mode, frozen.

    Raises:
        BackboneError: the files do not hold it.
    """
    from transformers import AutoModelForMaskedLM

    check_lm_head(source)
    model = AutoModelForMaskedLM.from_pretrained(
        source.folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    return LmHead(model).requires_grad_(False).eval()


def _stored_names(source: BackboneSource) -> Iterator[str]:
    """Names of the stored weights; the first BERTs call those of a layer norm gamma and beta."""
    for path in check_files(source.name, source.folder):
        if path.suffix == ".safetensors":
            with safe_open(path, "np") as file:
                names: list[str] = file.keys()
            yield from (name.replace("gamma", "weight").replace("beta", "bias") for name in names)


def _refusal(source: BackboneSource, reason: str) -> BackboneError:
    return BackboneError(
        f"backbone '{source.name}' has no masked language model head ({reason}), and the method guesses hidden words "
        "with it; use a backbone that kept its head, such as --backbone nano or FacebookAI/xlm-roberta-base"
    )
