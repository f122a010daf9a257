"""Calls of a method's code: what they raise names the call and the line."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlt_bench.conformance.faults import CallFailed, CheckFailed, CheckSkipped


@contextmanager
def calling(call: str) -> Iterator[None]:
    """Turn whatever a method's code raises into a CallFailed that names the call and the line."""
    try:
        yield
    except (CheckFailed, CheckSkipped):
        raise
    except (Exception, SystemExit) as error:
        message = " ".join(str(error).split())[:300]
        raise CallFailed(f"{call} raises {type(error).__name__}: {message} ({_place_of(error)})") from error


def _place_of(error: BaseException) -> str:
    """File and line: the innermost that is not an installed library's."""
    frames = traceback.extract_tb(error.__traceback__)
    libraries = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib"))
    outside = [frame for frame in frames if not frame.filename.startswith(libraries)]
    frame = (outside or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


@contextmanager
def skipped_if_a_call_fails(check: str) -> Iterator[None]:
    """Skip a check whose own rule was not reached, because a call raised that another check is about."""
    try:
        yield
    except CallFailed as failed:
        raise CheckSkipped(f"{failed}; see {check}") from failed
