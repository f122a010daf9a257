"""Build the source distribution and the wheel, install the wheel where nothing else of the project is, and run it.

    python -m scripts.distributions [--out build/dist]

The new environment borrows the installed dependencies of the one that runs this, so that it takes seconds, not
gigabytes. `pip check` there says whether they meet what the wheel declares.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
LARGEST_WHEEL = 8_000_000
"""Bytes; the largest file in it is the embedded backbone."""

_GENERATED = ("PKG-INFO", "setup.cfg", "xlt_bench.egg-info/")
"""Beginnings of what building adds to a source distribution."""

COMMANDS = (
    "--version",
    "ls methods",
    "run -m majority --sources seen",
    "run -m xpe --sources eng_Latn --targets deu_Latn --seeds 1 --steps 2 --device cpu",
    "leaderboard",
)
"""Of `xlt-bench`, run from the installed wheel; xpe needs the embedded task and backbone."""


def build(out: Path) -> tuple[Path, Path]:
    """The source distribution, and the wheel that is built from it; what `out` held of either before is removed."""
    for file in (*out.glob("*.tar.gz"), *out.glob("*.whl")):
        file.unlink()
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True, capture_output=True)
    (source,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return source, wheel


def missing_files(source: Path) -> set[str]:
    """Files of the repository that the source distribution lacks."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(listing.stdout.splitlines()) - names_in(source)


def names_in(source: Path) -> set[str]:
    """The files of a source distribution, without its top folder and without what building adds."""
    with tarfile.open(source) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    return {name for name in names if not name.startswith(_GENERATED)}


def install(wheel: Path, folder: Path) -> Path:
    """A new environment with the wheel in it; its folder of commands."""
    venv.create(folder)
    commands = Path(sysconfig.get_path("scripts", "venv", {"base": str(folder)}))
    pip = [sys.executable, "-m", "pip", "--python", str(commands / "python")]
    run([*pip, "install", "--quiet", "--no-deps", str(wheel)], folder)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]  # an editable install is not in them
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    run([*pip, "check"], folder)
    return commands


def run(command: list[str], folder: Path) -> str:
    """What a command prints, run in a folder outside the checkout; CalledProcessError, after its words, if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if result.returncode:
        print(result.stdout, result.stderr, sep="\n", file=sys.stderr)
        result.check_returncode()
    return result.stdout


def main() -> None:
    """Print a line for each step with its seconds; exit code 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "dist", help="folder of what is built")
    out = parser.parse_args().out.resolve()  # commands run in another folder
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    def report(text: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {text}", flush=True)

    source, wheel = build(out)
    report(f"{source.name}: {source.stat().st_size / 1e6:.1f} MB; {wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    if missing := missing_files(source):
        raise SystemExit(f"not in {source.name}: {', '.join(sorted(missing))}; add them to MANIFEST.in")
    if wheel.stat().st_size > LARGEST_WHEEL:
        raise SystemExit(f"{wheel.name} is larger than {LARGEST_WHEEL / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = install(wheel, folder)
        module_file = run(
            [str(commands / "python"), "-c", "import xlt_bench; print(xlt_bench.__file__)"], folder
        ).strip()
        if not Path(module_file).is_relative_to(folder.resolve()):
            raise SystemExit(f"xlt_bench is imported from {module_file}, not from the wheel")
        report("installed from the wheel, with pip check")
        for words in COMMANDS:
            run([str(commands / "xlt-bench"), *words.split()], folder)
            report(f"xlt-bench {words}")


if __name__ == "__main__":
    main()
