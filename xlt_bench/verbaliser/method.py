"""What methods that read classes off a masked language model have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from xlt_bench.backbones.lm_head import check_lm_head
from xlt_bench.backbones.source import BackboneSource
from xlt_bench.backbones.tokenised import Tokenised
from xlt_bench.errors import ConfigError, MethodError
from xlt_bench.method import Context
from xlt_bench.prompting.templates import enumeration
from xlt_bench.recipe import Recipe
from xlt_bench.resources import UNLABELLED_TARGET, Resources
from xlt_bench.resources.template import CHOICES, TEMPLATE
from xlt_bench.task import Example
from xlt_bench.verbaliser.calibration import Calibration, Kind, Score
from xlt_bench.verbaliser.head import Verbaliser
from xlt_bench.verbaliser.template import FROM_FILE, TEMPLATES, Cloze, check_name
from xlt_bench.verbaliser.words import LABEL_WORDS, cut_words, label_tokens, vocabulary_of, words_of

LABEL_TOKENS = "label_tokens"
"""In a Record's report: class -> word -> tokens with their weights."""


@dataclass(frozen=True, kw_only=True)
class Verbalising:
    """Texts stand in a template with a mask; what the language model says there gives the scores of the classes.

    Args:
        template: `about`, `kind`, `news`, `sentiment`, `entailment`, or `file` for that of --resource template=FILE.
        label_words: whether the words for the classes come from --resource label-words=FILE, those of all its
            languages together; else from the classes' names.
        neighbours: tokens that stand for a word: the nearest by the cosine of input embeddings, itself included.
        calibration: none, contextual or batch; divides the classes' shares by their mean over texts that say nothing,
            or over the unlabelled train texts of the language.
    """

    uses_backbone: ClassVar[bool] = True
    fills_mask: ClassVar[bool] = True

    template: str = "about"
    label_words: bool = False
    neighbours: int = 12
    calibration: Kind = "none"

    def check_settings(self) -> None:
        """Refuse hyper-parameters that cannot be.

        Raises:
            ConfigError: the first of them.
        """
        check_name(self.template)
        if self.neighbours < 1:
            raise ConfigError(f"neighbours is a number of tokens, 1 or more, not {self.neighbours}")

    @property
    def word_resources(self) -> frozenset[str]:
        """The resources that template, label words and calibration need."""
        declared = {
            TEMPLATE: self.template == FROM_FILE,
            LABEL_WORDS: self.label_words,
            UNLABELLED_TARGET: self.calibration == "batch",
        }
        return frozenset(name for name, is_declared in declared.items() if is_declared)

    def check_backbone(self, source: BackboneSource) -> None:
        """Refuse one without a masked language model head, or whose tokenizer has no mask token."""
        check_lm_head(source)

    def check_task(
        self, labels: Sequence[str], resources: Resources, source: BackboneSource, recipe: Recipe, vectors: int
    ) -> str:
        """See `WithTaskCheck`: the template and the label words must fit the tokenizer."""
        limit = source.architecture.text_limit(recipe.max_length, vectors)
        self._cloze(labels, resources).check(source.tokenizer, limit)
        tokens = label_tokens(source.tokenizer, labels, self._words(labels, resources))
        vocabulary = len(vocabulary_of(source.tokenizer))
        if self.neighbours > vocabulary:
            raise ConfigError(
                f"neighbours={self.neighbours}, and the vocabulary of backbone '{source.name}' has {vocabulary:,} "
                "tokens; take fewer"
            )
        return cut_words(source.tokenizer, tokens)

    def encode(self, examples: Sequence[Example], context: Context, limit: int) -> Tokenised:
        """Token ids of the template with each example in it, and where its mask is."""
        backbone, cloze = context.backbone, self._cloze(context.labels, context.resources)
        texts = [(context.recipe.text_prefix + example.text, example.text_pair) for example in examples]
        try:
            encoded = backbone.tokenise_by(
                cloze.pattern, texts, limit, lambda: cloze.encode(backbone.tokenizer, texts, limit)
            )
        except ConfigError as error:
            raise MethodError(str(error)) from error
        blanks = [int((ids == backbone.tokenizer.mask_token_id).argmax()) for ids in encoded.ids]
        modules = backbone.architecture.modules_of([example.language for example in examples])
        return replace(encoded, blanks=np.asarray(blanks, np.int64), modules=modules)

    def new_head(self, context: Context) -> Verbaliser:
        """The verbaliser; nothing in it is trained."""
        words = self._words(context.labels, context.resources)
        tokens = label_tokens(context.backbone.tokenizer, context.labels, words)
        return Verbaliser(context.backbone, tokens, self.neighbours).to(context.backbone.device)

    def calibrated(self, score: Score, context: Context) -> Score:
        """Scores as `calibration` has them.

        Args:
            score: uncalibrated scores of examples.
            context: of the fit.
        """
        if self.calibration == "none":
            return score
        texts = context.resources[UNLABELLED_TARGET] if self.calibration == "batch" else {}
        return Calibration(self.calibration, score, texts).scores

    def report(self, head: Verbaliser, labels: Sequence[str]) -> Mapping[str, Any]:
        """What a Record says of the label words."""
        return {LABEL_TOKENS: head.report(labels)}

    def _cloze(self, labels: Sequence[str], resources: Resources) -> Cloze:
        pattern = str(resources[TEMPLATE]) if self.template == FROM_FILE else TEMPLATES[self.template]
        words = self._words(labels, resources)
        return Cloze(pattern.replace(CHOICES, enumeration([words[label][0] for label in labels])))

    def _words(self, labels: Sequence[str], resources: Resources) -> Mapping[str, Sequence[str]]:
        return words_of(labels, resources[LABEL_WORDS] if self.label_words else {})
