"""The projection of the page's map: Equal Earth, which shows areas in proportion.

Source: Šavrič, Patterson & Jenny (2019), "The Equal Earth map projection", International Journal of Geographical
Information Science 33(3), equations 1 to 3.
"""

from __future__ import annotations

from math import asin, cos, pi, radians, sin, sqrt

WIDTH = 1000.0
"""Of the whole earth, in units of the map."""
_A = (1.340264, -0.081106, 0.000893, 0.003796)
_ROOT = sqrt(3) / 2
_SCALE = WIDTH * _ROOT * _A[0] / (2 * pi)
"""By which the equator is as long as the map is wide."""


def projected(latitude: float, longitude: float) -> tuple[float, float]:
    """Degrees to the map: x from 0 (180° west) to `WIDTH`, y downwards, 0 at the equator."""
    angle = asin(_ROOT * sin(radians(latitude)))
    square = angle * angle
    sixth = square**3
    slope = _A[0] + 3 * _A[1] * square + sixth * (7 * _A[2] + 9 * _A[3] * square)
    x = radians(longitude) * cos(angle) / (_ROOT * slope)
    y = angle * (_A[0] + _A[1] * square + sixth * (_A[2] + _A[3] * square))
    return WIDTH / 2 + _SCALE * x, -_SCALE * y
