"""Networks of checkpoints, computed by ONNX Runtime."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from shared.checkpoints import label, made

from napari_segment.errors import MissingError


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_onnx_gives_the_labels_of_torch(tmp_path, image, dims):
    pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")
    pytest.importorskip("onnxscript", reason="needs the extra 'onnx'")
    checkpoint = made(tmp_path / "a", ndim=dims, patch=(16,) * dims)
    want = label(checkpoint, image)
    got = label(checkpoint, image, backend="onnx")
    sides = "x".join(["16"] * dims)
    (file,) = (tmp_path / "a" / "onnx").glob(f"{sides}-*.onnx")
    written = file.stat().st_mtime_ns
    assert (got == want).mean() > 0.9999
    assert np.array_equal(label(checkpoint, image, backend="onnx", batch=3), got)
    assert file.stat().st_mtime_ns == written
    close = label(checkpoint, image, output="probabilities", backend="onnx")
    np.testing.assert_allclose(close, label(checkpoint, image, output="probabilities"), atol=1e-4)


def test_without_onnx_the_package_is_named(tmp_path, image, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingError, match="pip install onnxruntime"):
        label(made(tmp_path / "a"), image, backend="onnx")
