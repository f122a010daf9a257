"""NPPrompt (Zhao et al., ACL 2023): the words nearest to a class's name are scored at a mask; nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xlt_bench.method import Context
from xlt_bench.task import Labelled
from xlt_bench.training.saving import load_fit
from xlt_bench.verbaliser.fitted import VerbaliserScores
from xlt_bench.verbaliser.method import Verbalising


@dataclass(frozen=True, kw_only=True)
class NPPrompt(Verbalising):
    """Asks the backbone's masked language model head for a word, without any training.

    Args:
        template: `about`, `kind`, `news`, `sentiment`, `entailment`, or `file` for that of --resource template=FILE.
        label_words: whether the words for the classes come from --resource label-words=FILE, those of all its
            languages together; else from the classes' names.
        neighbours: tokens that stand for a word: the nearest by the cosine of input embeddings, itself included.
        calibration: none, contextual or batch; divides the classes' shares by their mean over texts that say nothing,
            or over the unlabelled train texts of the language.
    """

    tunes: ClassVar[tuple[str, ...]] = ()
    uses_seed: ClassVar[bool] = False
    procedure: ClassVar[str] = "nothing is trained, the masked language model is asked"

    def __post_init__(self) -> None:
        self.check_settings()

    @property
    def needs(self) -> frozenset[str]:
        """What template, label words and calibration need."""
        return self.word_resources

    def fit(self, train: Labelled, dev: Labelled, context: Context) -> VerbaliserScores:
        """Find the words' neighbours; neither split is looked at."""
        return VerbaliserScores(self, context)

    def load(self, folder: Path, context: Context) -> VerbaliserScores:
        """What `VerbaliserScores.save` wrote, in which nothing was trained."""
        load_fit(folder)
        return VerbaliserScores(self, context)
