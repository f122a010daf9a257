"""Where the benchmarks' figures go."""

from __future__ import annotations

from pathlib import Path


def publish(text: str, file: Path | None) -> None:
    """Print figures, and write them to a file too, whose folders are made, where there is to be one."""
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    print(text)
