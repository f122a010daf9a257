"""Mixtures of Student's t distributions with scales and degrees of freedom of their own: how far one may be from 0."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .arrays import Array
from .interpolation import cubic
from .student import squared_t

_NODES, _NODES_BEYOND = 60, 25


@dataclass(frozen=True)
class Mixtures:
    """R mixtures of G distributions.

    Attributes:
        weight: (R, G), each row sums to 1.
        squared_scale: (R, G).
        df: (R, G) degrees of freedom.
    """

    weight: Array
    squared_scale: Array
    df: Array

    def squared_quantiles(self, p: Array) -> Array:
        """The squared two-sided quantiles: (R, P) for p (P,).

        Found by interpolating the tails between nodes; right to about 1e-4.
        """
        nodes, tails = self._usual
        usual, largest = nodes[:, -1], self.squared_scale.max(axis=1)
        most = np.log(largest * squared_t(p.min(), self.df.min(axis=1)))
        beyond = np.linspace(usual, np.maximum(most, usual + 1), _NODES_BEYOND + 1, axis=1)[:, 1:]
        nodes = np.concatenate([nodes, beyond], axis=1)
        tails = np.concatenate([tails, self._tails(beyond)], axis=1)
        # not one product: how rows are added up must not depend on how many there are
        tail = np.array([2 * tails_of_row @ weight for tails_of_row, weight in zip(tails, self.weight, strict=True)])
        minus_log_p = -np.log(np.minimum(p, tail[:, :1]))
        quantiles = np.exp(cubic(minus_log_p, -np.log(tail)[:, None], nodes[:, None]))
        return np.where(p >= 1, 0.0, quantiles)

    @cached_property
    def _usual(self) -> tuple[Array, Array]:
        """Nodes (R, N) of the log squared distance that serve any p, and `_tails` there."""
        least = np.log(self.squared_scale.min(axis=1)) - 4
        usual = np.log(self.squared_scale.max(axis=1)) + 4.5
        nodes = np.concatenate([(least - 10)[:, None], np.linspace(least, usual, _NODES, axis=1)], axis=1)
        return nodes, self._tails(nodes)

    def _tails(self, log_squared: Array) -> Array:
        """(R, N, G) one-sided tails of each distribution at log squared distances (R, N)."""
        from scipy.special import stdtr

        squared = np.exp(log_squared)[:, :, None] / self.squared_scale[:, None]
        return np.asarray(stdtr(self.df[:, None], -np.sqrt(squared)))
