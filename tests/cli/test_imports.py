"""What the command line imports for a threshold of a small image, which is to take a second."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile

HEAVY = (
    "torch", "torchvision", "monai", "segmentation_models_pytorch", "timm", "napari", "magicgui",
    "qtpy", "sklearn", "skimage", "scipy", "pandas", "dask", "zarr", "numba", "matplotlib", "cv2",
    "nibabel", "pydicom", "distributed",
)  # fmt: skip
CODE = """
import sys
from napari_segment.cli import main
status = main(sys.argv[1:])
print("status:", status, "heavy:", *sorted({heavy} & set(sys.modules)))
"""


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("method", ["otsu", "manual"])
def test_a_threshold_of_a_small_image_imports_nothing_heavy(tmp_path, dtype, method):
    image = np.random.default_rng(0).random((64, 80)) * 200
    tifffile.imwrite(tmp_path / "cells.tif", image.astype(dtype))
    arguments = ["segment", method, str(tmp_path / "cells.tif"), "-o", str(tmp_path / "mask.tif")]
    code = CODE.replace("{heavy}", repr(set(HEAVY)))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "status: 0 heavy:", done.stderr
    assert set(np.unique(tifffile.imread(tmp_path / "mask.tif"))) == {0, 1}
