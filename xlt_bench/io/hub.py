"""Files from the Hugging Face hub: one snapshot of named files, from the cache where the hub is out of reach."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

_SECONDS = 10.0
"""How long the hub may take to answer the first question."""


def snapshot(
    repository: str, patterns: Sequence[str], revision: str | None = None, kind: Literal["model", "dataset"] = "model"
) -> Path:
    """The local folder of a repository's files that match the patterns; no code of it is run.

    The client repeats a failed download for half a minute. So the hub is asked once, without repeating, whether it is
    there at all; if not, the cache has to do.

    Raises:
        Exception: of the hub's client, which has many unrelated classes: offline, timeout, not found, gated.
    """
    from huggingface_hub import HfApi, snapshot_download

    files = list(patterns)
    try:
        HfApi().repo_info(repository, revision=revision, repo_type=kind, timeout=_SECONDS)
    except Exception as unreachable:
        try:
            cached = snapshot_download(
                repository, repo_type=kind, revision=revision, allow_patterns=files, local_files_only=True
            )
        except Exception:
            raise unreachable from None
        return Path(cached)
    return Path(snapshot_download(repository, repo_type=kind, revision=revision, allow_patterns=files))
