"""Unlabelled text by language, wherever it comes from: what methods with a language stage learn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Resources, Text, without_order
from xlt_bench.resources.unlabelled_folder import UNLABELLED_FOLDER
from xlt_bench.resources.unlabelled_target import UNLABELLED_TARGET
from xlt_bench.task import Task

_LEAST_TEXTS = 2
"""One to learn from and one that is held out."""


def language_texts(
    task: Task, labelled: Iterable[str], targets: Sequence[str], resources: Resources
) -> dict[str, tuple[Text, ...]]:
    """By language, what its fit sees: first the languages with labels, then those targets that a resource has.

    A language with labels has the text of the resource, or all of its train split however few of its labels are used:
    so fits are the same for all seeds and numbers of examples.

    Args:
        labelled: codes of the languages that are fitted on labels first.
        targets: codes; none where the fit must not depend on them.
        resources: what the method declares.
    """
    supplied_texts = _supplied_texts(resources)
    codes = set(labelled)
    with_labels = {
        code: supplied_texts[code] if code in supplied_texts else without_order(task.split(code, "train").examples)
        for code in task.languages
        if code in codes
    }
    return with_labels | {code: supplied_texts[code] for code in targets if code in supplied_texts}


def check_texts(texts: Mapping[str, tuple[Text, ...]]) -> None:
    """Refuse a language with too little text, before anything is computed.

    Raises:
        ConfigError: its code.
    """
    for code, of_language in texts.items():
        if len(of_language) < _LEAST_TEXTS:
            raise ConfigError(
                f"language {code} has {len(of_language)} unlabelled texts, and the method fits each language on "
                f"{_LEAST_TEXTS} or more; give it more text or leave it out of the run"
            )


def _supplied_texts(resources: Resources) -> Mapping[str, tuple[Text, ...]]:
    for name in (UNLABELLED_FOLDER, UNLABELLED_TARGET):
        if name in resources:
            texts: Mapping[str, tuple[Text, ...]] = resources[name]
            return texts
    return {}
