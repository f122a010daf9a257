"""Shared fixtures: a tiny backbone with random weights; the command line, with the toy task in place of a real one."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT
from tests.support.toy import GOOD, Command, Said, toy_info, write_plugin

if TYPE_CHECKING:  # torch and transformers are imported by the tests that use a backbone only
    from transformers import PreTrainedTokenizerFast

    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.conformance import FreshProcess

WORDS = (
    "river",
    "lake",
    "mountain",
    "city",
    "village",
    "euro",
    "dollar",
    "peso",
    "metre",
    "litre",
    "second",
    "hour",
    "german",
    "french",
    "georgian",
    "thai",
)
"""What the tiny tokenizer is trained on; any text in lower-case Latin letters can be tokenised with it."""


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Token files of the tests lie in a folder of theirs, not in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_backbone_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone folder as `save_pretrained` writes it: 2 layers, d = 32, no dropout."""
    return save_tiny_backbone(tmp_path_factory.mktemp("tiny"), dropout=0.0)


@pytest.fixture(scope="session")
def tiny_backbone_with_dropout_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same architecture with XLM-R's own dropout of 0.1."""
    return save_tiny_backbone(tmp_path_factory.mktemp("tiny-dropout"), dropout=0.1)


@pytest.fixture(scope="session")
def tiny_backbone(tiny_backbone_folder: Path) -> Backbone:
    """One tiny backbone without dropout for all tests, as the runner shares one among all cells."""
    return open_backbone(tiny_backbone_folder)


@pytest.fixture
def tiny_backbone_with_dropout(tiny_backbone_with_dropout_folder: Path) -> Backbone:
    """A tiny backbone with dropout, as XLM-R has it."""
    return open_backbone(tiny_backbone_with_dropout_folder)


def open_backbone(folder: Path) -> Backbone:
    """A backbone of its own, from a folder."""
    from xlt_bench.backbones.backbone import Backbone
    from xlt_bench.backbones.source import locate

    return Backbone(locate(str(folder)))


def save_tiny_backbone(folder: Path, dropout: float) -> Path:
    """Write model.safetensors, config.json and tokenizer.json. Weights are wide, so that every detail shows in logits.

    Like XLM-R on the hub, it is a masked language model without a pooler.
    """
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    tokenizer = tiny_tokenizer()
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        XLMRobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Byte pairs of WORDS, with the ids and the template of XLM-R's special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=96, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(WORDS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_backbone_folder: Path, tmp_path: Path
) -> Command:
    """`xlt-bench` on the toy task with a tiny backbone, in an empty folder; other task names are left as they are."""
    from xlt_bench import tasks
    from xlt_bench.cli.main import main
    from xlt_bench.runs import loader
    from xlt_bench.studies import planning

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    known = tasks.task_info

    def info(name: str) -> object:
        return toy_info(str(tiny_backbone_folder)) if name == "toy" else known(name)

    monkeypatch.setattr(loader, "task_info", info)
    monkeypatch.setattr(planning, "task_info", info)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def run(command: Command) -> Command:
    """`xlt-bench run` on the toy task, a few steps on the CPU."""

    def call(*arguments: str) -> Said:
        return command("run", "--task", "toy", "--sources", "joshi5", "--device", "cpu", *arguments)

    return call


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    """A method in a file that predicts class 1 with even seeds and class 0 with odd ones."""
    return write_plugin(tmp_path, GOOD)


@pytest.fixture(scope="session")
def fresh() -> Iterator[FreshProcess]:
    """One server of fresh processes. Also freezes what is alive already, which makes counting live objects quick."""
    from xlt_bench.conformance import FreshProcess

    server = FreshProcess()
    server.start()
    gc.collect()
    gc.freeze()
    yield server
    gc.unfreeze()
    server.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of others' raw results: XLT_SHARED_DIR, or shared/data beside the repository; skipped without it."""
    folder = Path(os.environ.get("XLT_SHARED_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "llm-outputs").is_dir():
        pytest.skip("no raw results: set XLT_SHARED_DIR to their folder")
    return folder
