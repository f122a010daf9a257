"""Which backbones are at hand, or can be got in one command. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from xlt_bench.backbones.architectures import SERVED
from xlt_bench.backbones.languages import pretraining_of
from xlt_bench.backbones.packaged import PACKAGED
from xlt_bench.backbones.packaged.getting import is_present
from xlt_bench.backbones.source import NANO


@dataclass(frozen=True)
class AtHand:
    """A backbone that `--backbone` takes.

    Attributes:
        name: what `--backbone` takes.
        summary: what it is.
        folder: where it lies; None where it is not on this machine yet.
        licence: SPDX identifier, or where it is said.
        languages: how many languages a public list says that it saw; None where there is no list.
        complete: whether that list is complete.
        caveats: what a reader of results must know.
    """

    name: str
    summary: str
    folder: Path | None
    licence: str
    languages: int | None
    complete: bool
    caveats: tuple[str, ...]


def backbones_at_hand(hub_cache: Path | None = None) -> list[AtHand]:
    """The shipped one, packaged ones, and models in the hub's cache of a type that is served.

    Args:
        hub_cache: the hub client's cache folder; None for the user's.
    """
    shipped = _entry(
        NANO,
        "shipped: 4 layers, 2.9 million parameters",
        Path(str(files("xlt_bench.backbones") / NANO)),
        "CC-BY-SA-4.0 and Unicode-3.0 data",
        ("for trying out and for tests: too small for conclusions",),
    )
    packaged = (
        _entry(
            backbone.name,
            f"{backbone.summary}; {backbone.parameters / 1e6:.0f} million parameters",
            backbone.folder if is_present(backbone) else None,
            backbone.licence,
            backbone.caveats,
        )
        for backbone in PACKAGED.values()
    )
    return [shipped, *packaged, *_cached(hub_cache)]


def _cached(hub_cache: Path | None) -> Iterator[AtHand]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        repositories = scan_cache_dir(hub_cache).repos
    except (CacheNotFound, OSError, ValueError):
        return
    for repository in sorted(repositories, key=lambda repository: repository.repo_id):
        for revision in sorted(repository.revisions, key=lambda revision: revision.last_modified, reverse=True)[:1]:
            model_type = _model_type(revision.snapshot_path / "config.json")
            if repository.repo_type == "model" and model_type in SERVED:
                yield _entry(
                    repository.repo_id, f"in the hub's cache: {model_type}", revision.snapshot_path, "see its card", ()
                )


def _model_type(config: Path) -> str | None:
    try:
        model_type = json.loads(config.read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return model_type if isinstance(model_type, str) else None


def _entry(name: str, summary: str, folder: Path | None, licence: str, caveats: tuple[str, ...]) -> AtHand:
    pretraining = pretraining_of(name)
    languages = None if pretraining is None else len(pretraining.seen)
    return AtHand(name, summary, folder, licence, languages, pretraining is not None and pretraining.complete, caveats)
