"""The texts of a pass, and what padded and packed texts have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from xlt_bench.recipe import ReadOut


class Positions(Protocol):
    """Positions of texts that have a row in a matrix of states, and a query in attention."""

    @property
    def count(self) -> int:
        """How many; a matrix may have more rows, see `rows.py`."""

    def attend(self, projections: Sequence[Tensor], share: float) -> Tensor:
        """What attention gives at these positions, (rows, d).

        Args:
            projections: queries, keys and values of all positions side by side, (rows, 3 d), or the queries of these
                positions, (rows, d), and keys and values of all, (rows, 2 d).
            share: of the attention weights that are dropped.
        """


class Texts(Positions, Protocol):
    """All positions of some texts and of the prompts before them."""

    def enter(self, prompts: Tensor, texts: Tensor) -> Tensor:
        """One matrix, (rows, width), of prompts, (items, prompt, width), and the texts' tokens."""

    def reading(self, read_out: ReadOut, blanks: Tensor | None) -> Reading:
        """The positions that a head reads.

        Args:
            read_out: which.
            blanks: the token of each text that is read instead, (items,); None: as the read-out says.
        """


class Reading(Positions, Protocol):
    """The positions that a head reads."""

    def take(self, matrix: Tensor) -> Tensor:
        """Their rows, out of the rows of all positions."""

    def read(self, rows: Tensor) -> Tensor:
        """What the head reads, (items, d) in float32, of these rows after the last layer."""


@dataclass(frozen=True)
class Words:
    """What the texts of a batch bring to the first layer, whatever prompt stands before them.

    Attributes:
        states: word states after the embeddings, (items, tokens, d), or (tokens, d) where they are packed.
        projected: their queries, keys and values in the first layer, (..., 3 d).
        texts: how they lie in a matrix with a prompt before each.
        blanks: position of each text's token whose state is read, (items,); None: as the read-out says.
    """

    states: Tensor
    projected: Tensor
    texts: Texts
    blanks: Tensor | None
