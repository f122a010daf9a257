"""Which backbone an adapter belongs to, and what its configuration says of it. Loads no weights."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.adapters.folder import AdapterFolder
from xlt_bench.backbones.folder import CONFIG
from xlt_bench.backbones.source import BARE_NAMES, NANO, BackboneSource
from xlt_bench.errors import ConfigError
from xlt_bench.io.json_files import read_object
from xlt_bench.io.paths import is_folder
from xlt_bench.io.texts import shortened


@dataclass(frozen=True)
class BackboneFacts:
    """What an adapter's configuration and size are compared with.

    Attributes:
        kind: model_type, such as xlm-roberta.
        width: d, the length of an input embedding.
        layers, heads: of the encoder, 0 where they have other names.
        has_our_head: whether transformers' classifier of this type is the one that our methods train.
    """

    kind: str
    width: int
    layers: int
    heads: int
    has_our_head: bool


def facts_of(source: BackboneSource) -> BackboneFacts:
    """Read them from a backbone that `locate` has checked."""
    config = read_object(source.folder / CONFIG)
    architecture = source.architecture
    return BackboneFacts(
        kind=architecture.model_type,
        width=architecture.prompt_width,
        layers=int(config.get("num_hidden_layers", 0)),
        heads=int(config.get("num_attention_heads", 0)),
        has_our_head=architecture.has_our_head,
    )


def backbone_name(adapter: AdapterFolder, requested: str | None) -> str:
    """The backbone to score an adapter on: the requested one, else the one that the adapter's configuration names.

    Raises:
        ConfigError: neither is there, or both are hub ids and differ.
    """
    base_model = adapter.base_model
    configured = BARE_NAMES.get(base_model, base_model) if base_model else None
    if requested is None:
        if configured is None:
            raise ConfigError(f"adapter '{adapter.name}' does not say which backbone it belongs to; give --backbone")
        if configured.startswith(("/", "~", ".")) and not is_folder(configured):
            raise ConfigError(
                f"adapter '{adapter.name}' names the backbone by a folder that is not here, {shortened(configured)}; "
                "give --backbone"
            )
        return configured
    backbone = BARE_NAMES.get(requested, requested)
    if configured is not None and configured != backbone and _is_id(configured) and _is_id(backbone):
        raise ConfigError(
            f"adapter '{adapter.name}' belongs to backbone '{configured}', not to '{requested}'; leave --backbone out, "
            "or give a local folder with that backbone's files"
        )
    return backbone


def check_width(adapter: str, width: int, facts: BackboneFacts, source: BackboneSource, base_model: str | None) -> None:
    """Refuse a prompt that another backbone's embeddings cannot stand beside."""
    if width != facts.width:
        named = f"; it belongs to {base_model}: --backbone {base_model}" if base_model else "; give another --backbone"
        raise ConfigError(
            f"adapter '{adapter}' has vectors {width} wide, backbone '{source.name}' is {facts.width} wide{named}"
        )


def _is_id(name: str) -> bool:
    return name == NANO or not is_folder(name)
