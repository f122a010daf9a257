"""Runs that ask a language model: what identifies them, what they tell, what is refused, and their table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs.test_run import STORE, stored
from tests.support import records as made_records
from tests.support.chat_server import KEY, ChatServer, Response, chat_server, completion
from tests.support.commands import Command, Output
from tests.support.toy import CODES, LABEL_WORDS
from xlt_bench.conformance.tiny_decoder import save_decoder
from xlt_bench.records.record import Record
from xlt_bench.records.store import Store


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model that knows the toy task."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llm"
    save_decoder(folder)
    return folder


@pytest.fixture
def ask(command: Command, decoder: Path) -> Command:
    """`xlt-bench run -m prompted-llm` on the toy task."""

    def call(*arguments: object) -> Output:
        usual = ("run", "--task", "toy", "--device", "cpu", "--backbone", decoder, "--targets", "unseen")
        return command(*usual, "-m", "prompted-llm", *arguments)

    return call


def test_without_demonstrations_one_run_of_no_sources_says_it_all(ask: Command) -> None:
    said = ask("--sources", "none")
    assert said.code == 0, said.err
    assert "prompted-llm, tiny-llm on toy: ask, predict unseen (2)" in said.err
    assert "nothing is trained, a language model is asked, fp32 on cpu" in " ".join(said.err.split())
    (record,) = stored().values()
    assert (record.cell.protocol, record.cell.sources, record.cell.recipe, record.cell.preset) == (
        "prompted", (), None, None,
    )  # fmt: skip
    assert record.cell.prompt is not None
    assert record.cell.prompt["demonstrations"] == 0
    assert record.cell.prompt["template"].startswith("Which of these classes")
    assert (record.selected_on, record.runs, record.fit["steps"]) == ("nothing", 1, 0)
    assert record.accuracy == {"tha_Thai": 1.0, "swh_Latn": 1.0}
    assert record.fit["report"]["usage"]["items"] == 24
    assert record.fit["report"]["usage"]["prompt_tokens"] > 0
    assert "Prompted language models" in said.out
    assert "no sources" in said.out
    assert "model tiny-llm, template classes, 0 demonstrations" in " ".join(said.out.split())
    assert ask("--sources", "none").err.count("1 already in the store") == 1


@pytest.mark.parametrize("prompt", [7, {}, {"template": "{text}"}, ["template", "demonstrations"]])
def test_a_record_whose_prompt_is_none_is_no_record(prompt: object) -> None:
    plain = made_records.record(protocol="prompted", prompt={"template": "{text}", "demonstrations": 0}).as_json()
    assert Record.from_json(plain).cell.prompt == plain["cell"]["prompt"]
    plain["cell"]["prompt"] = prompt
    with pytest.raises(TypeError, match="the prompt of its cell is"):
        Record.from_json(plain)


def test_demonstrations_are_of_the_sources_and_follow_the_seed(ask: Command) -> None:
    said = ask("--sources", "joshi5", "--set", "demonstrations=3", "--seeds", "2")
    assert said.code == 0, said.err
    assert "ask with demonstrations of 3 languages (joshi5), predict unseen" in said.err
    records = stored()
    assert {record.cell.sources for record in records.values()} == {CODES[:3]}
    assert records[0].cell.configuration == records[1].cell.configuration
    assert records[0].fit["report"] != records[1].fit["report"]  # other demonstrations have other lengths


def test_template_and_words_of_files_are_part_of_the_identity(ask: Command) -> None:
    Path("words.toml").write_text(LABEL_WORDS, encoding="utf-8")
    Path("template.txt").write_text("{text} belongs to", encoding="utf-8")
    options = ("--sources", "none", "--set", "template=file", "--set", "label_words=true")
    files = ("--resource", "template=template.txt", "--resource", "label-words=words.toml")
    assert ask(*options, *files).code == 0
    Path("template.txt").write_text("{text} belongs to the class", encoding="utf-8")
    said = ask(*options, *files)
    assert said.code == 0, said.err
    assert "already in the store" not in said.err
    records, _ = Store(STORE).records()
    templates = {(record.cell.prompt or {})["template"] for record in records}
    assert templates == {"{text} belongs to", "{text} belongs to the class"}
    assert "Prompted language models, with label-words" in said.out
    assert "Asked by a template of the user's own, of 27 characters" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sources", "joshi5"), "prompted-llm without demonstrations learns from no language; give --sources none"),
        (("--set", "demonstrations=3", "--sources", "none"), "needs languages to take them from"),
        (("--set", "demonstrations=99", "--sources", "eng_Latn"), "the sources have 18 train examples; take fewer"),
        (("--sources", "none", "--protocol", "full"), "--protocol full: prompted-llm trains nothing"),
        (("--sources", "none", "--shots", "8"), "--shots is of adapting to a target"),
        (("--sources", "none", "--seeds", "3"), "3 seeds would be the same answers"),
        (("--sources", "none", "--backbone", "nano"), "of type 'xlm-roberta' is no causal language model"),
        (("--sources", "none", "--set", "template=clases"), "no template 'clases'; did you mean 'classes'?"),
        (("--sources", "none", "--set", "template=file"), "give it: --resource template=FILE"),
        (("--sources", "none", "--set", "scoring=words"), "must be 'likelihood' or 'answer'"),
        (("--sources", "none", "--set", "scoring=answer", "--set", "calibrated=true"), "are of scoring=likelihood"),
        (("--sources", "none", "-m", "prompted-endpoint"), "no model to ask"),
        (("--sources", "none", "-m", "xpe", "--protocol", "prompted"), "--protocol prompted: xpe asks no language"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(options: tuple[str, ...], message: str, ask: Command) -> None:
    said = ask(*options)
    assert said.code == 2, said
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert not STORE.exists() or not stored()


def test_options_of_training_change_nothing_and_it_is_said(ask: Command) -> None:
    said = ask("--sources", "none", "--steps", "10", "--max-length", "8")
    assert "trains nothing: --steps, --max-length change nothing" in said.err
    assert "1 already in the store" in ask("--sources", "none").err


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ChatServer:
    """Names of the environment; a test begins a server for them."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return ChatServer(lambda number, messages: completion("animal"))


def endpoint(command: Command, *arguments: object) -> Output:
    usual = ("run", "--task", "toy", "--sources", "none", "--targets", "unseen", "-m", "prompted-endpoint")
    quick = ("--set", "model=tiny-chat", "--set", "retries=1", "--set", "retry_seconds=0.01")
    return command(*usual, *quick, *arguments)


def test_an_endpoint_is_a_row_and_its_key_is_nowhere(
    command: Command, serving: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("openai")

    def sometimes(number: int, messages: object) -> Response:
        return completion("animal" if number % 2 else "I cannot tell")

    with chat_server(sometimes) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        prices = ("--set", "prompt_price=1", "--set", "answer_price=2")
        said = endpoint(command, *prices)
        board = command("leaderboard", "--task", "toy", "-o", "board.json")
        command("leaderboard", "--task", "toy", "-o", "board.html")
        listed = command("ls", "records")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert "model tiny-chat, template classes, 0 demonstrations" in text
    assert "cost" in text
    assert "answers name no class of the task and count as wrong" in text
    (record,) = stored().values()
    usage = record.fit["report"]["usage"]
    assert usage["abstained"] > 0
    assert record.cell.hyperparameters.keys().isdisjoint({"concurrency", "max_cost", "prompt_price", "retries"})
    assert record.cell.prompt is not None
    assert record.cell.prompt["model"] == "tiny-chat"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("answers" in path.parts for path in written)
    secrets = (KEY, server.address, server.address.removeprefix("http://").removesuffix("/v1"))
    for secret in secrets:
        assert all(secret.encode() not in path.read_bytes() for path in written)
        assert all(secret not in part for output in (said, board, listed) for part in (output.out, output.err))


def test_an_endpoint_that_fails_leaves_no_record_and_the_same_command_goes_on(
    command: Command, serving: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai")
    with chat_server(lambda number, messages: Response(b"", 500) if number > 3 else completion("animal")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        said = endpoint(command, "--set", "concurrency=1")
        assert said.code == 2
        assert said.err.count("the endpoint gives no answer (HTTP 500, 2 attempts)") == 1
        assert "Traceback" not in said.err
        assert stored() == {}
        server.behaviour = lambda number, messages: completion("animal")
        sent = len(server.requests)
        assert endpoint(command, "--set", "concurrency=2").code == 0
    (record,) = stored().values()
    usage = record.fit["report"]["usage"]
    assert usage["from_cache"] >= 4
    assert usage["requests"] == len(server.requests) - sent
    assert KEY not in json.dumps(record.as_json())
