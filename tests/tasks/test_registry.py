"""The registry of tasks, and what looking at it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xlt_bench.errors import ConfigError
from xlt_bench.tasks import task_info, task_names


def test_names_and_defaults() -> None:
    assert task_names() == ("cldr", "afrixnli", "americas-nli", "masakhanews", "massive", "nusax", "sib200")
    shipped = ("cldr", "nusax", "sib200")
    defaults = {name: (i.name, i.backbone, i.preset, i.seeds) for name in shipped for i in [task_info(name)]}
    assert defaults == {
        "cldr": ("cldr", "nano", "cldr", 3),
        "nusax": ("nusax", "FacebookAI/xlm-roberta-base", "paper", 3),
        "sib200": ("sib200", "FacebookAI/xlm-roberta-large", "paper", 10),
    }


def test_an_unknown_task_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match=r"no task 'sib-200'; did you mean 'sib200'\? see: xlt-bench ls tasks"):
        task_info("sib-200")


def _loaded_after(statement: str) -> set[str]:
    heavy = "{'torch', 'transformers', 'datasets', 'pandas', 'babel', 'numpy', 'huggingface_hub'}"
    code = f"import sys; {statement}; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_names_need_nothing_and_groups_need_no_data() -> None:
    assert _loaded_after("from xlt_bench.tasks import task_names; task_names()") == set()
    each = "[tasks.task_info(name).groups('nano') for name in tasks.task_names()]"
    assert _loaded_after(f"from xlt_bench import tasks; {each}") <= {"numpy"}


@pytest.mark.parametrize("reference", ["x" * 300, f"{'x' * 300}/task.toml", "a\0b/task.toml", "a\0b"])
def test_names_that_no_file_can_have(reference: str) -> None:
    with pytest.raises(ConfigError, match=r"no file|no task") as caught:
        task_info(reference)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
