"""The results of the demonstration as layers."""

import numpy as np
import pytest

from napari_segment import api, samples

pytestmark = pytest.mark.screen


def test_the_results_of_the_demonstration_open(viewer, tmp_path):
    from napari_segment.widgets.layers.view import open_folder

    image, truth = samples.two_tissues(seed=1)
    api.write(image, tmp_path / "tissues.nii.gz")
    api.write(truth, tmp_path / "tissues_truth.nii.gz")
    open_folder(viewer, tmp_path)
    kinds = {layer.name: type(layer).__name__ for layer in viewer.layers}
    assert kinds == {"tissues": "Image", "tissues_truth": "Labels"}
    assert np.allclose(viewer.layers["tissues"].scale, viewer.layers["tissues_truth"].scale)
