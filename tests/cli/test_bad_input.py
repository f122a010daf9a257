"""What a user may get wrong: one clear line on standard error, exit code 2, nothing on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.commands import Command

WRONG: dict[str, tuple[list[str], str]] = {
    "method": (["-m", "xpp"], "no method 'xpp'; did you mean 'xpe'?"),
    "task": (["--task", "clrd"], "no task 'clrd'; did you mean 'cldr'?"),
    "group": (["--sources", "sen"], "no language or group 'sen'; did you mean 'seen'?"),
    "code": (["--sources", "deu"], "did you mean 'deu_Latn'?"),
    "target": (["--targets", "unsen"], "did you mean 'unseen'?"),
    "no source left": (["--sources", "seen-seen"], "is an empty set of languages"),
    "no source named": (["--sources", ""], "a group or language code is missing"),
    "only sources as targets": (["--targets", "joshi5"], "lies entirely within the sources"),
    "no sources to score": (["--sources", "none", "--targets", "sources"], "no language or group 'sources'"),
    "hyper-parameter": (["-m", "xpe", "--set", "n_token=1"], "did you mean 'n_tokens'?"),
    "hyper-parameter of none": (["-m", "majority", "--set", "a=1"], "has no hyper-parameters"),
    "ill-typed": (["-m", "xpe", "--set", "n_tokens=x"], "must be a whole number, not 'x'"),
    "not a number": (["-m", "xpe", "--set", "learning_rate=nan"], "must be none or a number"),
    "no assignment": (["-m", "xpe", "--set", "n_tokens"], "--set takes name=value"),
    "preset": (["--preset", "papre"], "no preset 'papre'; did you mean 'paper'?"),
    "GPU": (["--device", "cuda:9"], "CUDA devices; use --device cpu"),
    "device": (["--device", "gpu"], "--device takes cpu, cuda or cuda:N"),
    "device number": (["--device", "cuda:x"], "--device takes cpu, cuda or cuda:N"),
    "precision": (["--precision", "fp16"], "'fp16' is not one of 'auto', 'fp32', 'bf16'"),
    "no seeds": (["--seeds", "0"], "at least 1"),
    "seeds": (["--seeds", "x"], "--seeds takes a count"),
    "many seeds": (["--seeds", "2024"], "--seeds 2024,"),
    "no steps": (["--steps", "0"], "--steps must be a whole number of at least 1, not 0"),
    "steps": (["--steps", "many"], "'--steps'"),
    "level": (["--level", "2"], "--level must lie between 0 and 1, such as 0.95, not 2"),
    "level in per cent": (["--level", "95"], "such as 0.95"),
    "no pack": (["--pack", "0"], "'--pack'"),
    "rerun": (["--rerun", "some"], "'some' is not one of 'failed', 'all'"),
    "option": (["--shots", "3"], "--shots"),
    "argument": (["xpe"], "xpe"),
    "data for cldr": (["--task", "cldr", "-m", "majority", "--data-dir", "."], "leave --data-dir out"),
    "data": (["--task", "sib200", "-m", "majority", "--data-dir", "./none"], "no folder 'none'"),
    "data of another kind": (["--task", "sib200", "-m", "majority", "--data-dir", "."], "is no folder of SIB-200"),
    "backbone": (["--backbone", "nanoo"], "did you mean 'nano'?"),
    "bare hub name": (["--backbone", "xlm-roberta-base"], "did you mean 'FacebookAI/xlm-roberta-base'?"),
    "store in a file": (["-m", "majority", "--store", "file/store"], "cannot be written"),
    "store is a file": (["-m", "majority", "--store", "file"], "Not a directory"),
    "method file": (["-m", "mine.py:Mine"], "no file 'mine.py'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_one_clear_line_and_nothing_on_disk(run: Command, what: str) -> None:
    options, message = WRONG[what]
    Path("file").write_text("")
    said = run(*options)
    assert said.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("error: ")
    assert message in said.err
    assert [path.name for path in Path.cwd().iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lead"], "No such command 'lead'"),
        (["ls"], "methods, tasks, engines, groups, records"),
        (["ls", "models"], "'models' is not one of"),
        (["ls", "groups", "--task", "x"], "no task 'x'"),
        (["ls", "records", "--store", "file"], "cannot be read"),
        (["leaderboard", "--store", "none", "--task", "cldr"], "no Records fit --task cldr among the 0 in none"),
        (["leaderboard", "--store", "none", "--task", "clrd"], "no task 'clrd'; did you mean 'cldr'?"),
        (["leaderboard", "--store", "file"], "cannot be read"),
        (["leaderboard", "--level", "0"], "--level must lie between 0 and 1"),
    ],
)
def test_other_commands(command: Command, arguments: list[str], message: str) -> None:
    Path("file").write_text("")
    said = command(*arguments)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert message in said.err


def rewrite_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


BROKEN_BACKBONES = {
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer (tokenizer.json)"),
    "no config": (lambda f: (f / "config.json").unlink(), "has no config.json"),
    "pickled": (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "has no model.safetensors"),
    "LFS pointer": (lambda f: (f / "model.safetensors").write_text("version https://"), "no whole safetensors file"),
    "cut off": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:3000]),
        "no whole safetensors file",
    ),
    "garbage tokenizer": (lambda f: (f / "tokenizer.json").write_text("{"), "tokenizer.json is no JSON"),
    "another tokenizer": (lambda f: (f / "tokenizer.json").write_text('{"a": 1}'), "holds no tokenizer"),
    "garbage config": (lambda f: (f / "config.json").write_text("hello"), "config.json is no JSON"),
    "list for a config": (lambda f: (f / "config.json").write_text("[]"), "holds no JSON object"),
    "unknown type": (lambda f: rewrite_config(f, model_type="frob"), "transformers cannot read"),
    "ill-typed config": (lambda f: rewrite_config(f, hidden_size="wide"), "transformers cannot read"),
    "decoder": (
        lambda f: (f / "config.json").write_text('{"model_type": "bloom"}'),
        "type 'bloom' is not served; encoders: ",
    ),
    "encoder as decoder": (
        lambda f: rewrite_config(f, is_decoder=True),
        "makes a decoder of type 'xlm-roberta' (is_decoder)",
    ),
    "encoder-decoder": (
        lambda f: (f / "config.json").write_text('{"model_type": "bart"}'),
        "type 'bart' is not served; encoders: ",
    ),
    "missing shard": (
        lambda f: (
            (f / "model.safetensors").unlink(),
            (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-2.safetensors"}}'),
        ),
        "lacks model-00001-of-2.safetensors",
    ),
}


@pytest.mark.parametrize("how", BROKEN_BACKBONES)
def test_a_broken_backbone_is_told_before_anything_runs(run: Command, tiny_backbone_folder: Path, how: str) -> None:
    damage, message = BROKEN_BACKBONES[how]
    shutil.copytree(tiny_backbone_folder, "copy")
    damage(Path("copy"))
    said = run("-m", "head-only", "--backbone", "./copy", "--steps", "1")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert message in said.err
    assert not Path("xlt-results").exists()


def test_a_backbone_whose_languages_are_unknown(command: Command, tiny_backbone_folder: Path) -> None:
    said = command("run", "--backbone", str(tiny_backbone_folder), "--sources", "seen", "--device", "cpu")
    assert said.code == 2
    assert "saw is not known, so group 'seen' is not defined for it; " in said.err
    assert "--seen like:NAME for a backbone that saw the same; name languages by code" in said.err


@pytest.mark.parametrize("offline", [True, False])
def test_a_hub_out_of_reach_says_how_to_go_on(run: Command, monkeypatch: pytest.MonkeyPatch, offline: bool) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("Offline mode is enabled" if offline else "Name or service not known\nand more")

    def cached(*arguments: object, local_files_only: bool = False, **options: object) -> str:
        assert local_files_only, "a hub that does not answer must not be asked for files: that is repeated for long"
        raise LocalEntryNotFoundError("not cached")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", unreachable)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    said = run("-m", "head-only", "--backbone", "acme/encoder")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "could not be fetched from the hub" in said.err
    assert "offline, give a local folder with its files: --backbone FOLDER" in said.err


def test_a_hub_out_of_reach_does_not_matter_for_what_is_in_the_cache(
    run: Command, monkeypatch: pytest.MonkeyPatch, tiny_backbone_folder: Path
) -> None:
    import huggingface_hub

    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "repo_info", unreachable)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: str(tiny_backbone_folder))
    assert run("-m", "head-only", "--backbone", "acme/encoder", "--steps", "1", "--seeds", "1").code == 0
