"""Pictures and masks of a few pixels, and files of them."""

import numpy as np
from PIL import Image as Picture

from napari_segment.io.datasets.voc import colour


def save(path, data, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Picture.fromarray(np.asarray(data), mode)
    if mode == "P":
        picture.putpalette([c for i in range(256) for c in colour(i)])
    picture.save(path)


PHOTO = np.zeros((4, 5, 3), np.uint8)


MASK = np.zeros((4, 5), np.uint8)
MASK[0], MASK[1], MASK[2, 2:] = 15, 255, 8
