"""Files read in memory and lazily."""

import pickle

import numpy as np

from napari_segment import read


def same_lazily(path, **choice):
    """Read in memory and lazily, in another order of blocks, and from a pickle."""
    image, lazy = read(path, **choice), read(path, lazy=True, **choice)
    assert lazy.is_lazy
    again = pickle.loads(pickle.dumps(lazy.data))
    assert np.array_equal(again.compute(), image.data)
    assert np.array_equal(lazy.data[..., 3:7, 5:9].compute(), image.data[..., 3:7, 5:9])
    return image
