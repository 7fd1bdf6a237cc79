"""How many clusters: by the elbow of the inertia, or by silhouettes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

Selection: TypeAlias = Annotated[
    Literal["fixed", "elbow", "silhouette"],
    Field(
        description='Criterion by which the number of clusters is selected: "fixed", as given; '
        '"elbow", the number beyond which the inertia falls little; or "silhouette", the number '
        "(from 2) with the largest silhouette score of up to 2,000 sampled voxels."
    ),
]

SILHOUETTES = 2000  # points; all distances between them are computed


def elbow(inertias: Sequence[float]) -> int:
    """Number of clusters beyond which inertia falls no faster than it would without structure.

    Of structureless values inertia falls as a power of the number of clusters, a line between
    logarithms. The elbow is where the curve is farthest below the line between its ends.

    Parameters
    ----------
    inertias : sequence of float
        For 1, 2, … clusters.

    Returns
    -------
    int
        The greatest number where the curve is nowhere below the line.
    """
    if inertias[0] <= 0:
        return 1
    curve = np.log(np.maximum(np.asarray(inertias) / inertias[0], 1e-6))
    steps = np.log(np.arange(1, len(curve) + 1))
    below = curve[-1] * steps / max(steps[-1], 1e-6) - curve
    return int(np.argmax(below)) + 1 if below.max() > 1e-9 else len(curve)


def silhouette(points: NDArray[np.float64], clusters: NDArray[Any]) -> float:
    """Mean silhouette of points: how much closer each lies to its own cluster than to the next.

    Parameters
    ----------
    points : array (N, D)
        All distances are computed, so N should be a few thousand.
    clusters : array of int (N,)
        The cluster of each point. A point alone in its cluster counts 0.

    Returns
    -------
    float
        From −1 to 1; −1 where there is only one cluster.

    References
    ----------
    Rousseeuw P.J. (1987) Silhouettes. Journal of Computational and Applied Mathematics 20:53–65.
    :doi:`10.1016/0377-0427(87)90125-7`
    """
    names, own, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(names) < 2:
        return -1.0
    squares = (points**2).sum(1)
    distance = squares[:, None] + squares - 2 * points @ points.T
    distance = np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
    np.fill_diagonal(distance, 0)
    totals = distance @ np.eye(len(names))[own]
    rows = np.arange(len(points))
    inside = totals[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = totals / sizes
    means[rows, own] = np.inf
    outside = means.min(1)
    widths = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-300)
    return float(np.where(sizes[own] > 1, widths, 0.0).mean())
