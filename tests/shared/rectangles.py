"""Random overlapping rectangles, and what a segmentation might make of them."""

import numpy as np

from napari_segment.image import Labels


def objects(seed, shape=(60, 70), count=40):
    """Random overlapping boxes, the later ones on top."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for i in range(1, count + 1):
        corner = [random.integers(0, n - 4) for n in shape]
        sides = random.integers(3, 12, len(shape))
        labels[tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))] = i
    return labels


def shaken(labels, seed, shift=1):
    moved = np.roll(labels, shift, axis=0)
    random = np.random.default_rng(seed)
    lost = random.choice(np.unique(labels)[1:], 5, replace=False)
    moved[np.isin(moved, lost)] = 0
    return np.where(moved, (moved * 7) % 331, 0).astype(np.uint16)  # other numbers


# ---- voxels without annotation ----


def halves(holds="objects"):
    """A result with errors in the right half, and a reference of the left half."""
    result, reference = np.zeros((2, 20, 40), np.int16)
    result[2:10, 2:12] = reference[2:10, 2:12] = 1
    result[12:18, 25:35] = 2  # false where everything is annotated
    return Labels(result, holds=holds), Labels(reference, holds=holds)
