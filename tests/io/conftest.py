import os
from pathlib import Path

import numpy as np
import pytest

from napari_segment.image import Image, Labels

OBLIQUE = np.array([[2.0, 0.1, 0, 5], [-0.1, 0.5, 0, -3], [0, 0, 0.4, 7], [0, 0, 0, 1]])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def volume(rng):
    """Odd sizes, three different spacings, 16 bits."""
    data = rng.integers(0, 60000, (5, 7, 8)).astype(np.uint16)
    return Image(data, "ZYX", (2, 0.5, 0.4), "micrometer")


@pytest.fixture
def turned(rng):
    """A volume that lies obliquely in the scanner."""
    data = rng.integers(-900, 900, (5, 7, 8)).astype(np.int16)
    return Image(data, "ZYX", unit="millimeter", affine=OBLIQUE)


@pytest.fixture
def classes(rng):
    data = rng.integers(0, 3, (5, 7, 8)).astype(np.uint8)
    names = {1: "left = 1", 2: "Größe µ"}
    return Labels(data, "ZYX", (2, 0.5, 0.4), "micrometer", holds="classes", names=names)


@pytest.fixture(scope="session")
def realdata():
    folder = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NAPARI_SEGMENT_DATA")
    return folder


@pytest.fixture
def assert_same():
    """The same pixels at the same position."""
    return _assert_same


def _assert_same(actual, expected):
    actual, expected = actual.canonical(), expected.canonical()
    assert actual.axes == expected.axes
    np.testing.assert_array_equal(np.asarray(actual.data), np.asarray(expected.data))
    assert actual.dtype == expected.dtype
    assert actual.spacing == pytest.approx(expected.spacing, rel=1e-6)
    assert actual.unit == expected.unit
    assert actual.interval == pytest.approx(expected.interval)
    np.testing.assert_allclose(actual.world(), expected.world(), rtol=1e-6, atol=1e-6)
    for name in ("channels", "names", "holds"):
        assert getattr(actual, name, None) == getattr(expected, name, None)
