"""Task americas-nli: does the premise entail the hypothesis? 10 languages of the Americas (Ebrahimi et al. 2022).

The package ships this description only; the data come from the Hugging Face hub, or from a folder (`--data-dir`).
"""

from __future__ import annotations

from pathlib import Path

from xlt_bench.tasks.files import toml_task

INFO = toml_task(Path(__file__).with_name("task.toml"))
