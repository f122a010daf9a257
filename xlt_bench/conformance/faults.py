"""How a check ends that does not pass."""

from __future__ import annotations


class CheckFailed(AssertionError):  # noqa: N818 - reads as what it says in a test report
    """A method breaks the rule of a check; the message says how."""


class CallFailed(CheckFailed):
    """A call of the method's code raised."""


class CheckSkipped(Exception):  # noqa: N818 - as above
    """A check does not apply to a method; the message says why."""
