"""Task masakhanews: the topic of a news article, 7 classes, 16 languages (Adelani et al. 2023).

The package ships this description only; the data come from the Hugging Face hub, or from a folder (`--data-dir`).
"""

from __future__ import annotations

from pathlib import Path

from xlt_bench.tasks.files import toml_task

INFO = toml_task(Path(__file__).with_name("task.toml"))
