"""Labels that are examples only: what is not painted is unknown, the background is painted too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import is_lazy
from napari_segment.image import Labels

NOT_ANNOTATED = -1


def examples(labels: Labels, background: int) -> Labels:
    """Turn labels that are examples only into labels whose unknown voxels are negative.

    Parameters
    ----------
    labels : Labels
        As painted: 0 where nothing was, `background` where there is none of the classes.
    background : int
        The number that was painted on the background.

    Returns
    -------
    Labels
        -1 where nothing was painted, 0 for the background, other numbers as they were.

    Examples
    --------
    >>> examples(Labels(np.array([[0, 1, 2]], np.uint8), "YX"), 1).data
    array([[-1,  0,  2]], dtype=int16)
    """
    given = labels.data
    dtype = np.result_type(given.dtype, np.int8)
    dtype = dtype if np.issubdtype(dtype, np.signedinteger) else np.dtype(np.int64)

    def turned(block: NDArray[Any]) -> NDArray[Any]:
        known = np.where(block == 0, NOT_ANNOTATED, block.astype(dtype))
        known[block == background] = 0
        return known

    if is_lazy(given):
        return labels.replace(data=given.map_blocks(turned, dtype=dtype))
    return labels.replace(data=turned(np.asarray(given)))
