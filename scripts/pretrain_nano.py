"""Continued pre-training of nano, the small multilingual encoder that ships with xlt-bench.

    python -m scripts.pretrain_nano --sib200 FOLDER --init FOLDER --steps N --out FOLDER

Text: SIB-200 *train* sentences and CLDR names of the languages XLM-R was pre-trained on; of the names only those whose
item is in the train part of task cldr, and never a class label. Two kinds of step alternate at random:

- masked language modelling over a pair of translations of one item (Devlin et al. 2019; Conneau & Lample 2019);
- InfoNCE (van den Oord, Li & Vinyals 2018) between two translations of one item with the other items of the batch as
  negatives, on the output at position 0 and, with a lower weight, on the mean of the text's outputs. In a share of
  these steps random vectors stand before the input embeddings, so that position 0 may hold a virtual token, as in
  prompt tuning.

Pieces are split at random while training (subword regularisation, Kudo 2018), so that rare names are met in many cuts.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import babel.localedata
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer, PreTrainedTokenizerBase, XLMRobertaForMaskedLM

from scripts.build_cldr import XLMR_LOCALES
from xlt_bench.tasks import task_info
from xlt_bench.tasks.cldr.names import folded
from xlt_bench.tasks.cldr.split import split_of

NAME_FIELDS = {
    "territory": "territories",
    "language": "languages",
    "script": "scripts",
    "variant": "variants",
    "currency": "currency_names",
}
WORD_START = "▁"
IGNORED = -100
LENGTH_GROUPS = 4

Key = tuple[str, str]


@dataclass(frozen=True)
class NanoRecipe:
    """What one pre-training run does; it is written next to the weights as `pretraining.json`.

    Lengths are in tokens, shares are probabilities of a step (`masked_lm_share`, `sentence_share`, `prefix_share`),
    rates those of a token (`mask_rate`, `hide_rate`) or of a piece (`resplit_rate`).
    """

    steps: int
    seed: int = 0
    learning_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 0.01
    masked_lm_share: float = 0.2
    sentence_share: float = 0.25
    mask_rate: float = 0.2
    hide_rate: float = 0.05
    resplit_rate: float = 0.15
    temperature: float = 0.07
    mean_weight: float = 0.5
    prefix_share: float = 0.5
    max_prefix: int = 20
    name_batch: int = 128
    sentence_batch: int = 32
    max_name: int = 24
    max_sentence: int = 80


class Item(NamedTuple):
    """Translations of one thing: for each language the token ids (no special tokens) of its text or texts."""

    languages: list[list[list[int]]]


class MaskedBatch(NamedTuple):
    """Right-padded token ids and their mask, both of shape (texts, tokens)."""

    ids: Tensor
    mask: Tensor


def locale_names(locale: str) -> dict[Key, list[str]]:
    """All names of a locale by (class, CLDR key): the name itself first, then the plural of currencies and units."""
    data = babel.localedata.load(locale, merge_inherited=False)
    names: defaultdict[Key, list[str]] = defaultdict(list)
    for class_name, field in NAME_FIELDS.items():
        for key, text in data.get(field, {}).items():
            names[class_name, key].append(text)
    for key, forms in data.get("unit_display_names", {}).items():
        if "long" in forms:
            names["unit", key].append(forms["long"])
    for key, zone in data.get("time_zones", {}).items():
        if "city" in zone:
            names["city", key].append(zone["city"])
    for key, forms in data.get("currency_names_plural", {}).items():
        if "other" in forms:
            names["currency", key].append(forms["other"])
    for key, patterns in data.get("unit_patterns", {}).items():
        if plural := patterns.get("long", {}).get("other"):
            names["unit", key].append(plural.replace("{0}", "").strip())
    return names


def cldr_texts() -> dict[Key, dict[str, list[str]]]:
    """Train-part names of the seen locales: {(class, key): {locale: texts}}.

    Left out: a name that is the English one (untranslated), and a name that a dev or test item of the locale has too.
    """
    english = {key: {folded(text) for text in texts} for key, texts in locale_names("en").items()}
    texts_of: defaultdict[Key, dict[str, list[str]]] = defaultdict(dict)
    for locale in sorted(XLMR_LOCALES.intersection(babel.localedata.locale_identifiers())):
        names = locale_names(locale)
        held_out = {folded(text) for key, texts in names.items() if split_of(*key) != "train" for text in texts}
        for key, texts in names.items():
            barred = held_out if locale == "en" else held_out | english.get(key, set())
            allowed = list(dict.fromkeys(text for text in texts if text and folded(text) not in barred))
            if split_of(*key) == "train" and allowed:
                texts_of[key][locale] = allowed
    return texts_of


def sib200_texts(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Train sentences of the seen languages: {sentence index: {language: [text]}}; the category column is not read."""
    texts_of: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for language in sorted(task_info("sib200").groups("nano")["seen"]):
        with (folder / language / "train.tsv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                texts_of[row["index_id"]][language] = [row["text"]]
    return texts_of


def tokenize(tokenizer: PreTrainedTokenizerBase, texts_of: Iterable[dict[str, list[str]]], longest: int) -> list[Item]:
    """Token ids of all items with at least two languages, cut to `longest` tokens."""
    items = []
    for texts in texts_of:
        if len(texts) > 1:
            languages = [tokenizer(of_one, add_special_tokens=False)["input_ids"] for of_one in texts.values()]
            items.append(Item([[ids[:longest] for ids in of_one] for of_one in languages]))
    return items


class Resplitter:
    """Cuts pieces in two at random, where both halves are in the vocabulary (subword regularisation, Kudo 2018)."""

    def __init__(self, vocabulary: dict[str, int], rate: float) -> None:
        self.rate = rate
        self.cuts: dict[int, list[tuple[int, int]]] = {}
        for piece, number in vocabulary.items():
            halves = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece)) if not piece.startswith("<")]
            splits = [(vocabulary[a], vocabulary[b]) for a, b in halves if a in vocabulary and b in vocabulary]
            if splits and piece != WORD_START:
                self.cuts[number] = splits

    def __call__(self, ids: list[int], rng: random.Random) -> list[int]:
        """The same text in other pieces."""
        out: list[int] = []
        for number in ids:
            if rng.random() < self.rate and number in self.cuts:
                out.extend(rng.choice(self.cuts[number]))
            else:
                out.append(number)
        return out


class Sampler:
    """Draws batches of translation pairs."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, sib200: Path, recipe: NanoRecipe) -> None:
        self.recipe = recipe
        self.rng = random.Random(recipe.seed)
        self.names = tokenize(tokenizer, cldr_texts().values(), recipe.max_name)
        self.sentences = tokenize(tokenizer, sib200_texts(sib200).values(), recipe.max_sentence)
        self.resplit = Resplitter(tokenizer.get_vocab(), recipe.resplit_rate)
        special = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
        self.bos, self.eos, self.pad = special

    def counts(self) -> dict[str, int]:
        """How many items and texts there are of each source."""
        sources = {"names": self.names, "sentences": self.sentences}
        return {f"{source} {unit}": count for source, items in sources.items() for unit, count in count_texts(items)}

    def pairs(self) -> list[tuple[list[int], list[int]]]:
        """Two translations of each of some items, all names or all sentences, in a random cut into pieces."""
        use_sentences = self.rng.random() < self.recipe.sentence_share
        items = self.sentences if use_sentences else self.names
        size = self.recipe.sentence_batch if use_sentences else self.recipe.name_batch
        drawn = []
        for item in self.rng.sample(items, size):
            first, second = (self.rng.choice(texts) for texts in self.rng.sample(item.languages, 2))
            drawn.append((self.resplit(first, self.rng), self.resplit(second, self.rng)))
        return drawn

    def pack(self, texts: Sequence[Sequence[list[int]]]) -> MaskedBatch:
        """One row a text: `<s> a </s>`, or `<s> a </s></s> b </s>` for a pair."""
        rows = []
        for parts in texts:
            row = [self.bos, *parts[0], self.eos]
            for part in parts[1:]:
                row += [self.eos, *part, self.eos]
            rows.append(row)
        width = max(map(len, rows))
        ids = torch.tensor([row + [self.pad] * (width - len(row)) for row in rows])
        return MaskedBatch(ids, ids != self.pad)


def count_texts(items: list[Item]) -> list[tuple[str, int]]:
    """Number of items and of texts."""
    return [("items", len(items)), ("texts", sum(len(texts) for item in items for texts in item.languages))]


def masked(batch: MaskedBatch, rate: float, mask_id: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Ids with 80% of the chosen tokens masked and 10% replaced, and the labels (Devlin et al. 2019)."""
    ordinary = batch.ids > mask_id
    chosen = ordinary & (torch.rand(batch.ids.shape) < rate)
    fate = torch.rand(batch.ids.shape)
    ids = batch.ids.masked_fill(chosen & (fate < 0.8), mask_id)
    ids = torch.where(chosen & (fate > 0.9), torch.randint(mask_id + 1, vocabulary, ids.shape), ids)
    return ids, batch.ids.masked_fill(~chosen, IGNORED)


def masked_lm_loss(model: XLMRobertaForMaskedLM, batch: MaskedBatch, recipe: NanoRecipe, mask_id: int) -> Tensor:
    """Cross-entropy of the masked tokens, in nats; the output layer sees masked positions only."""
    ids, labels = masked(batch, recipe.mask_rate, mask_id, model.config.vocab_size)
    hidden = model.roberta(input_ids=ids, attention_mask=batch.mask.long()).last_hidden_state
    chosen = labels != IGNORED
    return functional.cross_entropy(model.lm_head(hidden[chosen]), labels[chosen])


def random_prefix(recipe: NanoRecipe, width: int) -> Tensor:
    """No vector, or 1 to `max_prefix` normal ones of one random scale (log-uniform, 0.05 to 1): (vectors, width)."""
    count = int(torch.randint(1, recipe.max_prefix + 1, ())) if torch.rand(()) < recipe.prefix_share else 0
    scale = math.exp(math.log(0.05) * float(torch.rand(())))
    return torch.randn(count, width) * scale


def encode(model: XLMRobertaForMaskedLM, ids: Tensor, mask: Tensor, prefix: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs at position 0 and averaged over the text, each (texts, width); the prefix is shared by all texts."""
    embedded = model.roberta.embeddings.word_embeddings(ids)
    embedded = torch.cat([prefix.expand(len(ids), -1, -1), embedded], dim=1)
    full_mask = torch.cat([mask.new_ones(len(ids), len(prefix)), mask], dim=1)
    hidden = model.roberta(inputs_embeds=embedded, attention_mask=full_mask.long()).last_hidden_state
    weights = mask.unsqueeze(-1).float()
    return hidden[:, 0], (hidden[:, len(prefix) :] * weights).sum(1) / weights.sum(1)


def encode_by_length(model: XLMRobertaForMaskedLM, batch: MaskedBatch, prefix: Tensor) -> tuple[Tensor, Tensor]:
    """As `encode`, in the order of the batch, but texts of like length together, which saves padding."""
    lengths = batch.mask.sum(1)
    order = lengths.argsort()
    outputs = []
    for rows in order.chunk(LENGTH_GROUPS):
        width = int(lengths[rows].max())
        outputs.append(encode(model, batch.ids[rows, :width], batch.mask[rows, :width], prefix))
    back = order.argsort()
    return torch.cat([start for start, _ in outputs])[back], torch.cat([mean for _, mean in outputs])[back]


def info_nce(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """InfoNCE in both directions: row i of one view is to find row i of the other (van den Oord, Li & Vinyals 2018)."""
    similarity = functional.normalize(first, dim=-1) @ functional.normalize(second, dim=-1).T / temperature
    target = torch.arange(len(first))
    return (functional.cross_entropy(similarity, target) + functional.cross_entropy(similarity.T, target)) / 2


def contrastive_loss(
    model: XLMRobertaForMaskedLM, batch: MaskedBatch, recipe: NanoRecipe, mask_id: int
) -> tuple[Tensor, Tensor]:
    """The whole loss and its position-0 part; the first half of the rows are one view, the second half the other."""
    hidden_tokens = (batch.ids > mask_id) & (torch.rand(batch.ids.shape) < recipe.hide_rate)
    ids = batch.ids.masked_fill(hidden_tokens, mask_id)
    start, mean = encode_by_length(model, MaskedBatch(ids, batch.mask), random_prefix(recipe, model.config.hidden_size))
    half = len(ids) // 2
    at_start = info_nce(start[:half], start[half:], recipe.temperature)
    return at_start + recipe.mean_weight * info_nce(mean[:half], mean[half:], recipe.temperature), at_start


def rate_at(step: int, recipe: NanoRecipe) -> float:
    """Learning rate: linear warm-up, then half a cosine to zero (Loshchilov & Hutter 2017)."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    progress = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2


def save(model: XLMRobertaForMaskedLM, tokenizer: PreTrainedTokenizerBase, recipe: NanoRecipe, out: Path) -> None:
    """Writes float16 weights, configuration, tokenizer and recipe."""
    torch.nn.Module.half(copy.deepcopy(model)).save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "pretraining.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n", encoding="utf-8")


def pretrain(init: Path, sib200: Path, out: Path, recipe: NanoRecipe, log_every: int, save_every: int) -> None:
    """Trains from the weights in `init`; every `save_every` steps the weights so far are written to `out`."""
    torch.manual_seed(recipe.seed)
    tokenizer = AutoTokenizer.from_pretrained(init)
    model = XLMRobertaForMaskedLM.from_pretrained(init, dtype=torch.float32).train()
    sampler = Sampler(tokenizer, sib200, recipe)
    print(json.dumps(sampler.counts()), flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    losses: defaultdict[str, list[float]] = defaultdict(list)
    begin = time.monotonic()
    for step in range(recipe.steps):
        pairs = sampler.pairs()
        if sampler.rng.random() < recipe.masked_lm_share:
            loss = masked_lm_loss(model, sampler.pack(pairs[: len(pairs) // 2]), recipe, tokenizer.mask_token_id)
            losses["masked_lm"].append(loss.item())
        else:
            batch = sampler.pack([(text,) for view in zip(*pairs, strict=True) for text in view])
            loss, at_start = contrastive_loss(model, batch, recipe, tokenizer.mask_token_id)
            losses["position_0"].append(at_start.item())
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, recipe)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % log_every == 0 or step + 1 == recipe.steps:
            means = {name: round(sum(values) / len(values), 3) for name, values in losses.items()}
            minutes = round((time.monotonic() - begin) / 60, 2)
            print(json.dumps({"step": step + 1, "minutes": minutes, **means}), flush=True)
            losses.clear()
        if (step + 1) % save_every == 0 or step + 1 == recipe.steps:
            save(model, tokenizer, recipe, out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Continue the pre-training of nano.")
    parser.add_argument("--sib200", type=Path, required=True, help="SIB-200: LANGUAGE/train.tsv")
    parser.add_argument("--init", type=Path, required=True, help="folder with the start weights and the tokenizer")
    parser.add_argument("--out", type=Path, required=True, help="folder for the new weights")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--save-every", type=int, default=500)
    for name in ("prefix_share", "resplit_rate", "mean_weight", "masked_lm_share", "learning_rate", "temperature"):
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=getattr(NanoRecipe, name))
    options = vars(parser.parse_args())
    torch.set_num_threads(options.pop("threads"))
    recipe = NanoRecipe(
        **{name: options.pop(name) for name in tuple(options) if name in NanoRecipe.__dataclass_fields__}
    )
    pretrain(recipe=recipe, **options)


if __name__ == "__main__":
    main()
