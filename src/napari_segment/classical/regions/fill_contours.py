"""From closed contours to regions."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import at_border, label, map_blocks, replace_labels
from napari_segment.classical.edges import canny
from napari_segment.classical.grid import checked, in_voxels
from napari_segment.image import Spacing
from napari_segment.registry import methods
from napari_segment.results.cleanup.morphology import close


@methods.add("fill_contours", title="Fill contours", gives="mask", group="regions from edges")
def fill_contours(
    image: Array,
    spacing: Spacing = (),
    *,
    sigma: Annotated[float, Field(ge=0)] = 1.0,
    low: Annotated[float, Field(ge=0, le=1)] = 0.1,
    high: Annotated[float, Field(ge=0, le=1)] = 0.2,
    max_gap: Annotated[float, Field(ge=0)] = 0.0,
) -> Array:
    """Find edges with Canny's detector and fill the contours that are closed.

    A contour is closed if no path through faces leads from its inside to the border of the image.
    Edges that enclose nothing are left out. In a volume it is closed surfaces that are filled.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    sigma : float
        Standard deviation of the Gaussian before the edges are sought, in the unit of the spacing.
    low, high : float
        Canny's two thresholds, as fractions of the largest gradient magnitude.
    max_gap : float
        Largest width, about, of gaps in contours that are closed, in the unit of the spacing.

    Returns
    -------
    array of bool
        The insides and their contours.
    """
    spacing = checked(image, spacing)
    edges = canny(image, spacing, sigma=sigma, low=low, high=high)
    if not image.size:
        return edges
    if max_gap > 0:
        in_voxels(max_gap, spacing, name="max_gap")
        edges = close(edges, spacing, radius=max_gap / 2, units="physical")
    regions, count = label(~edges)
    wide = [axis for axis, n in enumerate(image.shape) if n > 1]  # a volume of one plane is a plane
    border = at_border(regions, wide if len(wide) > 1 else range(image.ndim))
    inside = np.setdiff1d(np.arange(1, count + 1), border)
    filled = replace_labels(regions, inside, np.ones(len(inside), bool), bool)
    del regions
    halo = [min(1, n) for n in image.shape]
    return map_blocks(_with_contour, filled, edges, dtype=bool, halo=halo, slabs=24)


def _with_contour(filled: NDArray[np.bool_], edges: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation, generate_binary_structure

    around = binary_dilation(filled, generate_binary_structure(filled.ndim, filled.ndim))
    mask: NDArray[np.bool_] = filled | (around & edges)
    return mask
