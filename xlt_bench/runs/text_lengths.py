"""Before anything is trained: of which languages are many texts longer than a run reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlt_bench.task import Example, Labelled
from xlt_bench.tasks.token_counts import CUT_SHARE, token_counts, too_long

if TYPE_CHECKING:
    from xlt_bench.runs.experiment import Experiment

MOST = 500
"""Texts of a language that are counted, evenly over the split."""
_NAMED = 6


def cut_texts(experiment: Experiment) -> Iterator[str]:
    """A note, where more than `CUT_SHARE` of the texts of a source or target are cut; none for runs without a recipe.

    Counted are the train texts of sources and the test texts of targets, at most `MOST` of a language.
    """
    source, task = experiment.setup.source, experiment.setup.task
    if source is None or not experiment.missing or experiment.cells[0].recipe is None:
        return
    recipe, first = experiment.setup.recipe, experiment.cells[0]
    examples = {code: _some(task.split(code, "train")) for code in first.sources}
    examples |= {code: _some(task.split(code, "test")) for code in first.targets if code not in examples}
    cut = too_long(token_counts(examples, source.tokenizer, recipe.max_length, recipe.text_prefix))
    if cut:
        worst = ", ".join(f"{code} {count.cut:.0%}" for code, count in list(cut.items())[:_NAMED])
        more = f" and {len(cut) - _NAMED} more" if len(cut) > _NAMED else ""
        yield (
            f"more than {CUT_SHARE:.0%} of the texts are cut at {recipe.max_length} tokens in {worst}{more}; "
            f"--max-length takes more, and xlt-bench check-task {task.name} counts them"
        )


def _some(part: Labelled) -> tuple[Example, ...]:
    step = max(1, -(-len(part) // MOST))
    return part.examples[::step]
