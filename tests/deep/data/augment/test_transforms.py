"""Drawn transforms of the augmentation."""

import numpy as np

from napari_segment.deep.data.augment import (
    Augmentation,
    draw,
)
from napari_segment.deep.data.patches import (
    generator,
)

STRONG = Augmentation.of("strong", ("spatial=1", "intensity=1"))


def test_coarse_axes_are_neither_rotated_nor_bent():
    change = draw(STRONG, generator(0, 0, 1), 3, (5.0, 1.0, 1.0)).spatial
    zoom = change.matrix[0, 0]
    assert change.matrix[0, 1:].tolist() == change.matrix[1:, 0].tolist() == [0, 0]
    assert abs(change.matrix[1, 2]) > 0
    assert zoom > 0
    assert (change.bending[0] == 0).all()
    assert (change.bending[1] != 0).any()


def test_rotation_keeps_physical_lengths():
    only = Augmentation(rotate=40, spatial=1)
    change = draw(only, generator(0, 0, 5), 2, (2.0, 1.0)).spatial
    physical = np.diag([2.0, 1.0]) @ change.matrix @ np.diag([0.5, 1.0])
    np.testing.assert_allclose(physical @ physical.T, np.eye(2), atol=1e-6)
