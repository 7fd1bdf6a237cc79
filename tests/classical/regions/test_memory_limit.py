"""Work that needs more memory than is free."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.registry import methods


@pytest.mark.parametrize("name", ["slic", "felzenszwalb", "random_walker"])
def test_what_does_not_fit_into_memory_is_refused(name, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=30_000))
    with pytest.raises(InputError, match=r"needs about .* GB for 2,200 voxels, but 0.0 GB are"):
        methods[name](np.eye(40, 55))
