"""The model card (README.md) of an exported adapter: metadata for the hub, and what a user should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xlt_bench.adapters.scores import GroupScore
from xlt_bench.backbones.source import NANO, REVISIONS
from xlt_bench.io.texts import clean
from xlt_bench.languages.table import language_of
from xlt_bench.records.record import Record
from xlt_bench.stats import Interval

BACKBONE_FOLDER = "backbone"
"""Where a copy of a backbone that no hub has is put, inside the adapter's folder."""


@dataclass(frozen=True)
class DataSource:
    """Where a task's training text comes from, for the card.

    `licence` is an identifier of the hub, None where that is for the user to say.
    """

    words: str
    licence: str | None = None
    licence_words: str = "the licence of the task's data; see there"
    dataset: str | None = None


DATA: Mapping[str, DataSource] = {
    "sib200": DataSource(
        "SIB-200 (Adelani et al., 2024), sentences of FLORES-200",
        "cc-by-sa-4.0",
        "CC BY-SA 4.0 (sentences, FLORES-200) and Apache-2.0 (labels)",
        "Davlan/sib200",
    ),
    "cldr": DataSource(
        "names of territories, languages, currencies and units from the Unicode CLDR",
        "other",
        "Unicode License V3",
    ),
}


@dataclass(frozen=True)
class Card:
    """What a card tells.

    Attributes:
        base_model: how the adapter's configuration names its backbone.
        copied: whether the backbone lies in the adapter's folder.
        text_limit: tokens of a text that the model read when it was scored.
        licence: of the adapter, as the user gave it.
    """

    record: Record
    labels: tuple[str, ...]
    vectors: int
    base_model: str
    copied: bool
    text_limit: int
    scores: Sequence[GroupScore]
    licence: str | None = None

    def text(self) -> str:
        """The whole README.md."""
        parts = (self._metadata(), self._opening(), self._loading(), self._training(), self._results(), self._rights())
        return "\n".join(parts)

    @property
    def _data(self) -> DataSource:
        return DATA.get(self.record.cell.task, DataSource(f"task {clean(self.record.cell.task)}"))

    def _metadata(self) -> str:
        lines = ["---", "library_name: peft", "pipeline_tag: text-classification"]
        if not self.copied and not Path(self.base_model).is_absolute():  # the hub reads an id here
            lines.append(f"base_model: {self.base_model}")
        licence = self.licence or self._data.licence
        if licence:
            lines.append(f"license: {licence}")
        if licence == "other":
            lines.append(f"license_name: {self._data.licence_words.lower().replace(' ', '-')}")
        if self._data.dataset:
            lines += ["datasets:", f"- {self._data.dataset}"]
        languages = dict.fromkeys(code.partition("_")[0] for code in self.record.cell.learned_languages)
        lines += ["language:", *(f"- {language}" for language in languages)]
        return "\n".join([*lines, "tags:", "- xlt-bench", "- soft-prompt", "- cross-lingual-transfer", "---", ""])

    def _opening(self) -> str:
        cell, record = self.record.cell, self.record
        subject = f"`{clean(record.row_label)}`: a soft prompt of {self.vectors} vectors and a classification head"
        rows = [f"| {index} | {clean(label)} |" for index, label in enumerate(self.labels)]
        return "\n".join(
            [
                f"# {clean(record.row_label)} on {cell.task}",
                "",
                f"{subject} for the frozen encoder `{clean(self.base_model)}`, trained with xlt-bench. It is a "
                "prompt-tuning adapter of Hugging Face `peft`: the prompt as it stands before the text, without what "
                "made it.",
                "",
                "| class | name |",
                "|---|---|",
                *rows,
                "",
                "`config.json` has the names as `id2label`.",
                "",
            ]
        )

    def _loading(self) -> str:
        folder = f'f"{{adapter}}/{BACKBONE_FOLDER}"' if self.copied else f'"{self.base_model}"'
        revision = REVISIONS.get(self.base_model)
        pinned = f', revision="{revision}"' if revision else ""
        code = f"""
import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

adapter = "."  # this folder; of a hub id: huggingface_hub.snapshot_download("owner/name")
backbone = {folder}
config = AutoConfig.from_pretrained(adapter)  # the backbone's, with the names of the classes
model = AutoModelForSequenceClassification.from_pretrained(backbone, config=config, dtype=torch.float32{pinned})
model = PeftModel.from_pretrained(model, adapter).eval()
tokenizer = AutoTokenizer.from_pretrained(backbone{pinned})

texts = ["first text", "second text"]
options = {{"padding": True, "truncation": True, "max_length": {self.text_limit}, "return_token_type_ids": False}}
with torch.no_grad():
    logits = model(**tokenizer(texts, return_tensors="pt", **options)).logits
print([config.id2label[index] for index in logits.argmax(1).tolist()])
"""
        return f"## How to load\n\nWith `peft` and `transformers` alone; no other code is run.\n\n```python{code}```\n"

    def _training(self) -> str:
        record, cell = self.record, self.record.cell
        recipe = cell.recipe or {}
        learned = ", ".join(f"{clean(language_of(code).name)} ({code})" for code in self.record.cell.learned_languages)
        settings = ", ".join(f"{name} {value}" for name, value in cell.hyperparameters.items() if value is not None)
        numbers = f"{int(record.fit.get('trainable_parameters', 0)):,} trained parameters"
        selection = f"step {record.fit.get('selected_step')} of {record.fit.get('steps')} kept"
        return "\n".join(
            [
                "## Training",
                "",
                f"- Data: {self._data.words}; train split of {len(self.record.cell.learned_languages)} languages "
                f"({clean(record.sources_label)}): {learned}.",
                f"- Method: {clean(cell.method)}; {settings}; {numbers}.",
                f"- Optimisation: preset {cell.preset}, {recipe.get('optimiser')}, batches of "
                f"{recipe.get('batch_size')}, seed {cell.seed}, {cell.precision}; {selection}, selected on "
                f"{record.selected_on}.",
                f"- Backbone: `{clean(cell.backbone)}`, content hash {cell.backbone_hash}, frozen.",
                *(f"- {clean(caveat)}" for caveat in record.caveats),
                f"- Record: {cell.fingerprint} (configuration {cell.configuration}), task data {cell.task_hash}.",
                "",
            ]
        )

    def _results(self) -> str:
        many = any(score.all_runs for score in self.scores)
        head = "| languages | number | accuracy, this adapter |" + (" all seeds of its configuration |" if many else "")
        rows = [_row(score, many) for score in self.scores]
        unseen = "none of them among the training languages; " if not self.record.cell.learns_target else ""
        return "\n".join(
            [
                "## Results",
                "",
                f"Accuracy in per cent on the test split, plain mean over the languages ({unseen}by language in "
                "`scores.json`), with 95% intervals: of this adapter random over test items; of all seeds (two-way) "
                "random over seeds and items. Test items are the same in every language, which the intervals respect.",
                "",
                head,
                "|---|---|---|" + ("---|" if many else ""),
                *rows,
                "",
            ]
        )

    def _rights(self) -> str:
        backbone = (
            f"The copy of `nano` in `{BACKBONE_FOLDER}/` is part of xlt-bench (Apache-2.0); see its README."
            if self.base_model == NANO
            else "The backbone has a licence of its own."
        )
        licence = self.licence or self._data.licence
        sentence = f"The adapter: {licence}. " if licence and licence != "other" else ""
        return f"## Licence\n\n{sentence}Training data: {self._data.licence_words}. {backbone}\n"


def _row(score: GroupScore, many: bool) -> str:
    cells = [clean(score.group), str(score.languages), f"{100 * score.accuracy:.1f}{_span(score.single_run)}"]
    if many:
        runs = score.all_runs
        cells.append(f"{100 * runs.estimate:.1f}{_span(runs)}, {runs.seeds} seeds" if runs else "-")
    return f"| {' | '.join(cells)} |"


def _span(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" ({100 * max(interval.low, 0.0):.1f}-{100 * min(interval.high, 1.0):.1f})"
