"""Unlabelled text by language, wherever it comes from: what methods with a language stage learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlt_bench.errors import ConfigError
from xlt_bench.resources.base import Resources, Text, without_order
from xlt_bench.resources.unlabelled_folder import UNLABELLED_FOLDER
from xlt_bench.resources.unlabelled_target import UNLABELLED_TARGET
from xlt_bench.task import Labelled

_LEAST_TEXTS = 2


def language_texts(labelled: Labelled, targets: Sequence[str], resources: Resources) -> dict[str, tuple[Text, ...]]:
    """By language, what its fit sees: first the languages with labels, then those targets that a resource has.

    Args:
        labelled: the train items that the fit on labels gets.
        targets: codes; none where the fit must not depend on them.
        resources: what the method declares.
    """
    supplied_texts = _supplied_texts(resources)
    codes = dict.fromkeys(example.language for example in labelled.examples)
    train_texts = {
        code: without_order(example for example in labelled.examples if example.language == code) for code in codes
    }
    with_labels = {code: supplied_texts.get(code) or texts for code, texts in train_texts.items()}
    return with_labels | {
        code: supplied_texts[code] for code in targets if code in supplied_texts and code not in with_labels
    }


def check_texts(targets: Sequence[str], resources: Resources) -> None:
    """Refuse a target without text, before anything is computed.

    Raises:
        ConfigError: its code.
    """
    supplied_texts = _supplied_texts(resources)
    for code in targets:
        count = len(supplied_texts.get(code, ()))
        if code in supplied_texts and count < _LEAST_TEXTS:
            raise ConfigError(
                f"language {code} has {count} unlabelled texts, and the method fits each target on two or "
                "more; give it more text or leave it out of --targets"
            )


def _supplied_texts(resources: Resources) -> Mapping[str, tuple[Text, ...]]:
    for name in (UNLABELLED_FOLDER, UNLABELLED_TARGET):
        if name in resources:
            texts: Mapping[str, tuple[Text, ...]] = resources[name]
            return texts
    return {}
