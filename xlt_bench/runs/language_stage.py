"""The language stage: fits of languages on unlabelled text, each made once, stored, and shared by runs.

A fit sees texts alone: of a language with labels those of its train split, of a target those of a resource that the
method declares. Both come without labels, ids and order; dev and test texts never come.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from xlt_bench.errors import ClaimLostError, MethodError
from xlt_bench.method import Activity, Context, LanguageFit, LanguageFits, LanguageSummary, WithLanguageStage
from xlt_bench.records.store import Store
from xlt_bench.resources import Resources, Text
from xlt_bench.runs.calls import calling
from xlt_bench.runs.checkpoints import Checkpointing
from xlt_bench.runs.counting import Counter
from xlt_bench.runs.counts import Counts

LANGUAGE_SEED = 0
"""Of all fits of languages: as with published adapters, there is one of a language, whatever the seed of the run."""

_POLL_SECONDS = 1.0
_WEIGHTS, _MANIFEST = "weights.safetensors", "language.json"


def fit_language(method: WithLanguageStage, language: str, texts: Sequence[Text], context: Context) -> LanguageFit:
    """One fit; the method sees the texts and nothing of the run.

    Raises:
        MethodError: what the method raises, or gives in place of a LanguageFit.
    """
    stage_context = replace(context, labels=(), seed=LANGUAGE_SEED, resources=Resources(), languages=LanguageFits())
    with calling("fit_language"):
        fitted: object = method.fit_language(language, texts, stage_context)
    if not isinstance(fitted, LanguageFit):
        raise MethodError(f"fit_language must return a LanguageFit, not {type(fitted).__name__}")
    return fitted


@dataclass(frozen=True)
class StoredLanguages(Mapping[str, LanguageFit]):
    """Fits of languages as they lie in the store; each is read when it is asked for."""

    folders: Mapping[str, Path]

    def __getitem__(self, language: str) -> LanguageFit:
        from safetensors.torch import load_file

        folder = self.folders[language]
        return LanguageFit(load_file(folder / _WEIGHTS), LanguageSummary(**self._manifest(language)["summary"]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.folders)

    def __len__(self) -> int:
        return len(self.folders)

    def report(self) -> dict[str, Mapping[str, Any]]:
        """By language, what a Record tells of its fit."""
        manifests = {language: self._manifest(language) for language in self.folders}
        return {language: {**plain["summary"], "seconds": plain["seconds"]} for language, plain in manifests.items()}

    def counts(self) -> Counts:
        """Sums over the languages of what was counted, and of the budgets, each under a name of its own."""
        sums: dict[str, int] = {}
        for language in self.folders:
            for name, count in self._manifest(language)["counts"].items():
                largest_of_one = name == "trained_parameters"
                value = sums.get(f"language_{name}", 0)
                sums[f"language_{name}"] = max(value, count) if largest_of_one else value + count
        return sums

    def seconds(self) -> float:
        """Of all fits, whoever made them."""
        return float(sum(self._manifest(language)["seconds"] for language in self.folders))

    def _manifest(self, language: str) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads((self.folders[language] / _MANIFEST).read_text(encoding="utf-8"))
        return plain


@dataclass(frozen=True)
class LanguageStage:
    """Makes fits of languages, or finds them in the store.

    Attributes:
        name: the method's, as cells have it; of a file, with a hash of its content.
        backbone: hash of its files.
        checkpointing: of fits under way.
    """

    name: str
    method: WithLanguageStage
    backbone: str
    store: Store
    checkpointing: Checkpointing

    def fits(self, texts: Mapping[str, tuple[Text, ...]], context: Context) -> StoredLanguages:
        """The fits of these languages; those that nobody has made yet are made."""
        keys = {language: self._key(language, of_language, context) for language, of_language in texts.items()}
        stored = self.store.languages
        for number, (language, key) in enumerate(keys.items()):
            if not stored.has(key):
                subject = f"language {language}, {number + 1} of {len(keys)}"
                context.progress.activity(Activity("training", subject))
                self._make(key, language, texts[language], context)
        return StoredLanguages({language: stored.folder_of(key) for language, key in keys.items()})

    def _make(self, key: str, language: str, texts: Sequence[Text], context: Context) -> None:
        """Make and keep a fit, or wait for the process that does."""
        stored = self.store.languages
        while not stored.has(key):
            with stored.claims.hold([key]) as claimed, suppress(ClaimLostError):
                if not claimed:
                    context.progress.activity(Activity("waiting", f"for language {language} of another process"))
                    time.sleep(_POLL_SECONDS)
                elif not stored.has(key):
                    self._fit(key, language, texts, context)

    def _fit(self, key: str, language: str, texts: Sequence[Text], context: Context) -> None:
        """Make and keep a fit; its checkpoints are gone in the end, but not where the process had to leave."""
        counter, checkpoint_files = Counter(), self.store.language_checkpoints
        checkpoints = self.checkpointing.of_pack(checkpoint_files, counter)
        try:
            with counter:
                kept_context = self.checkpointing.kept(context, key, checkpoints)
                language_fit = fit_language(self.method, language, texts, kept_context)
        except MethodError:
            checkpoint_files.drop([key])
            raise
        phase = context.recipe.language
        budget = phase.total_steps(len(texts), context.recipe.batch_size) if phase is not None else 0
        counts = asdict(counter.efforts()[0]) | {
            "budget_steps": budget,
            "budget_examples": budget * context.recipe.batch_size,
        }
        seconds = round(checkpoints.fit_seconds, 3)
        manifest = {"language": language, "summary": asdict(language_fit.summary), "seconds": seconds, "counts": counts}
        self.store.languages.keep(key, partial(_save, language_fit, manifest))
        checkpoint_files.drop([key])

    def _key(self, language: str, texts: Sequence[Text], context: Context) -> str:
        """Identity of a fit: everything that it follows from, 16 hex digits."""
        recipe = context.recipe.as_json()
        identity = {
            "stage": "language",
            "method": self.name,
            "settings": dict(self.method.language_settings()),
            "recipe": {name: recipe.get(name) for name in _OF_RECIPE} | {"rate": recipe["rates"].get("language")},
            "backbone": self.backbone,
            "precision": context.precision,
            "language": language,
            "texts": [list(text) for text in texts],
            "seed": LANGUAGE_SEED,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


_OF_RECIPE = ("language", "batch_size", "max_length", "decay_biases", "text_prefix")
"""Values of a recipe that a fit of a language depends on, beside the rate of the role `language`."""


def _save(language_fit: LanguageFit, manifest: Mapping[str, Any], folder: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: value.contiguous().cpu() for name, value in language_fit.weights.items()}, folder / _WEIGHTS)
    (folder / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
