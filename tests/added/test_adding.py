"""What docs/architecture.md says of adding things: each is one file of so many lines, and one line that names it."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

import xlt_bench
from tests.added.balanced_accuracy import BalancedAccuracy
from tests.added.bloom import bloom
from tests.added.families import LanguageFamilies
from tests.support import ROOT
from tests.support.architectures import WIDTH, tokenizer_with_segments
from tests.support.board_records import board_of, row_named, runs
from tests.support.commands import Command
from tests.support.fits import TEST, loud, unfitted
from tests.support.plugins import GOOD, write_plugin
from tests.support.toy import write_files
from xlt_bench.backbones import architectures
from xlt_bench.backbones.backbone import Backbone
from xlt_bench.backbones.source import locate
from xlt_bench.methods.spt import SPT
from xlt_bench.metrics import METRICS
from xlt_bench.records.store import Store
from xlt_bench.resources import RESOURCES

HERE = Path(__file__).parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TOOLKIT = (ROOT / "docs/toolkit.md").read_text(encoding="utf-8")
CONTRAST = re.findall(r"```python\n# parallel_contrast.py\n(.*?)```", TOOLKIT, re.S)[0]


def lines(text: str) -> int:
    """All lines but blank ones."""
    return sum(bool(line.strip()) for line in text.splitlines())


def test_the_table_has_the_real_numbers_of_lines(tmp_path: Path) -> None:
    added = {
        "a task": (write_files(tmp_path) / "task.toml").read_text(encoding="utf-8"),
        "a method with a loss of its own": CONTRAST,
        "an architecture": (HERE / "bloom.py").read_text(encoding="utf-8"),
        "a metric": (HERE / "balanced_accuracy.py").read_text(encoding="utf-8"),
        "a resource": (HERE / "families.py").read_text(encoding="utf-8"),
    }
    documented = dict(re.findall(r"^\| (an? [\w ]+) \| .* \| (\d+) \|$", PAGE, re.M))
    assert documented == {name: str(lines(text)) for name, text in added.items()}


def test_a_task_is_a_file(program: Command, tmp_path: Path) -> None:
    task, plugin = write_files(tmp_path / "mine"), write_plugin(tmp_path, GOOD)
    said = program("run", "--task", task / "task.toml", "-m", plugin, "--sources", "eng_Latn", "--seeds", "1")
    assert said.code == 0, said.err
    assert len(Store(Path("xlt-results")).records()[0]) == 1


def test_a_method_with_a_loss_of_its_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "parallel_contrast.py"
    path.write_text(CONTRAST, encoding="utf-8")
    sources = "eng_Latn+deu_Latn"
    (record,) = xlt_bench.run(
        f"{path}:ParallelContrast", sources, targets="fra_Latn", seeds=[0], steps=2, store=tmp_path / "store"
    )
    assert record.complete
    assert set(record.fit["history"][0]["terms"]) == {"cross_entropy", "contrast"}
    assert list(record.cell.resources) == ["source-parallel"]


@torch.no_grad()
def test_an_architecture_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = MappingProxyType({**architectures.SERVED, "bloom": bloom})
    monkeypatch.setattr(architectures, "SERVED", served)
    tokenizer = tokenizer_with_segments()
    config = AutoConfig.for_model("bloom", vocab_size=len(tokenizer), hidden_size=WIDTH, n_layer=2, n_head=4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = AutoModel.from_config(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    backbone = Backbone(locate(str(tmp_path)))
    fitted = unfitted(SPT(n_tokens=4), backbone, recipe=loud(read_out="last"))
    expected = []
    for example in TEST.examples[:8]:
        ids = tokenizer(example.text, return_tensors="pt", return_token_type_ids=False)["input_ids"]
        embeddings = torch.cat([fitted.prompt[None], model.get_input_embeddings()(ids)], 1)  # type: ignore[index]
        expected.append(fitted.module.head(model(inputs_embeds=embeddings).last_hidden_state[:, -1])[0].numpy())
    np.testing.assert_allclose(fitted.predict(TEST.examples[:8]), np.stack(expected), atol=1e-5)


def test_a_metric_is_a_file(monkeypatch: pytest.MonkeyPatch, program: Command) -> None:
    metric = BalancedAccuracy()
    monkeypatch.setattr("xlt_bench.metrics.METRICS", MappingProxyType({**METRICS, metric.name: metric}))
    given = runs(0.6)
    board = board_of(given, metric=metric)
    assert board.metric_title == "balanced accuracy"
    expected = []
    for _, predictions in given:
        for code in row_named(board, "XPE").by_language:
            rows = predictions.language == code
            gold, predicted = predictions.gold[rows], predictions.predicted[rows]
            expected.append(np.mean([np.mean(predicted[gold == name] == name) for name in set(gold)]))
    score = np.mean(list(row_named(board, "XPE").by_language.values()))
    assert score == pytest.approx(np.mean(expected), abs=1e-12)
    assert program("leaderboard", "--task", "sib200", "--metric", metric.name).code == 0
    refused = program("leaderboard", "--metric", "balanced")
    assert refused.code == 2
    assert "did you mean 'balanced-accuracy'?" in refused.err


METHOD = """
from dataclasses import dataclass
from tests.support.resource_methods import CountedWords

@dataclass(frozen=True)
class Related(CountedWords):
    needs = frozenset({"language-families"})
    def fit(self, train, dev, context):
        families = context.resources["language-families"]
        assert {example.language for example in train.examples} <= set(families)
        return super().fit(train, dev, context)
"""


def test_a_resource_is_a_file(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = MappingProxyType({**RESOURCES, "language-families": LanguageFamilies()})
    monkeypatch.setattr("xlt_bench.resources.RESOURCES", served)
    path = tmp_path / "related.py"
    path.write_text(METHOD, encoding="utf-8")
    assert run("-m", f"{path}:Related", "--seeds", "1").code == 0
    (record,) = Store(Path("xlt-results")).records()[0]
    assert list(record.cell.resources) == ["language-families"]
    assert record.caveats == ("Knew the families of its 5 languages.",)
