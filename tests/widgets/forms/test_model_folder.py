"""The folder of a classifier that is trained in the window."""

from pathlib import Path

import pytest

from napari_segment.errors import InputError
from napari_segment.widgets.forms.model_folder import ModelFolder


def test_a_new_folder_has_a_date(qapp):
    field = ModelFolder()
    folder = field.to_use()
    assert folder.parent == Path.home() / "napari-segment" / "classifiers"
    assert field.own == folder


def test_only_a_folder_of_its_own_is_replaced(qapp, tmp_path):
    field = ModelFolder()
    field.value = tmp_path / "mine"
    assert field.to_use() == tmp_path / "mine"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.json").write_text("{}")
    assert field.to_use() == tmp_path / "mine"  # written by itself
    other = ModelFolder()
    other.value = tmp_path / "mine"
    with pytest.raises(InputError, match="holds a trained model already"):
        other.to_use()
