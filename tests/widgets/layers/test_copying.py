"""Results are copied to the clipboard."""

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from shared.windows import open_dock, run

from napari_segment.api.scripts import as_python
from napari_segment.widgets.layers import copying

pytestmark = pytest.mark.screen


def test_results_are_copied_as_python_as_a_command_and_as_recipes(qtbot, viewer, tmp_path):
    import tifffile

    file = tmp_path / "three.tif"
    tifffile.imwrite(file, np.eye(30, dtype=np.uint8) * 9)
    viewer.open(str(file), plugin="napari-segment")
    dock = open_dock(viewer, "Threshold")
    run(qtbot, dock)
    result, clipboard = viewer.layers[-1], QApplication.clipboard()
    copying.copy_as_python(result)
    scope = {}
    exec(clipboard.text(), scope)
    np.testing.assert_array_equal(scope["labels"].data, result.data)
    copying.copy_as_command(result)
    assert clipboard.text().startswith(f"napari-segment segment otsu {file} -o ")
    copying.copy_history(viewer)
    exec(clipboard.text(), scope)
    np.testing.assert_array_equal(scope["results"][result.name].data, result.data)
    dock.recipes.copy(as_python)
    assert str(file) in clipboard.text()
    clipboard.setText("before")
    copying.copy_as_python(viewer.layers[0])
    assert clipboard.text() == "before"
