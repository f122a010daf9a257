"""What an adapter holds, and what predicts with it: our toolkit for prompts on XLM-R, plain peft for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from xlt_bench.adapters.base_model import BackboneFacts, check_width
from xlt_bench.adapters.folder import AdapterFolder
from xlt_bench.adapters.given_prompt import fitted_prompt
from xlt_bench.adapters.predictor import Predictor
from xlt_bench.adapters.saved_prompt import SavedPrompt, is_prompt, read_prompt
from xlt_bench.adapters.tensors import read_tensors
from xlt_bench.adapters.xpe_toolkit import is_xpe
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.method import Context

Content = SavedPrompt | Mapping[str, Tensor]
"""A prompt with its head, or the tensors of another kind of adapter by plain name."""


def read_content(adapter: AdapterFolder, facts: BackboneFacts, source: BackboneSource) -> Content:
    """Read an adapter, and check that it can stand on a backbone.

    Raises:
        ConfigError: it cannot, or it is not whole.
    """
    if is_prompt(adapter) and facts.has_our_head:
        saved = read_prompt(adapter)
        check_width(adapter.name, saved.width, facts, source, adapter.base_model)
        return saved
    if is_xpe(adapter):
        raise ConfigError(
            f"adapter '{adapter.name}' of the XPE toolkit is on a backbone of type {facts.kind}; "
            "only those on XLM-R and RoBERTa can be read"
        )
    from xlt_bench.adapters.plain_peft import check_loadable

    check_loadable(adapter)
    return read_tensors(adapter.weights, adapter.name)


def classes_in(adapter: AdapterFolder, content: Content) -> int:
    """How many classes an adapter tells apart.

    Raises:
        ConfigError: it has no classification head.
    """
    if isinstance(content, SavedPrompt):
        return content.classes
    from xlt_bench.adapters.plain_peft import classes_of

    return classes_of(adapter, content)


def numbers_in(content: Content) -> int:
    """How many numbers were trained, as far as the files tell."""
    if isinstance(content, SavedPrompt):
        return sum(t.numel() for t in (content.standard, content.pseudo, *content.encoder, *content.head.values()))
    return sum(tensor.numel() for tensor in content.values())


def predictor_of(adapter: AdapterFolder, content: Content, facts: BackboneFacts, context: Context) -> Predictor:
    """What predicts, on the context's backbone; `context.labels` are in the adapter's order.

    Raises:
        ConfigError: peft cannot load it.
    """
    if isinstance(content, SavedPrompt):
        return fitted_prompt(content, context)
    from xlt_bench.adapters.plain_peft import PeftModelPredictor

    vectors = int(adapter.config.get("num_virtual_tokens") or 0)
    limit = context.backbone.architecture.text_limit(context.recipe.max_length, vectors)
    return PeftModelPredictor(adapter, content, context.backbone, limit)
