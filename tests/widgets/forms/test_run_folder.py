"""Run folders that no training has used."""

from pathlib import Path

from napari_segment.widgets.forms import run_folder
from napari_segment.widgets.forms.run_folder import RunFolder, new_folder


def test_a_new_folder_never_exists(tmp_path):
    first = new_folder(tmp_path, "today unet")
    assert first == tmp_path / "today unet"
    first.mkdir()
    second = new_folder(tmp_path, "today unet")
    assert second == tmp_path / "today unet 2"
    second.mkdir()
    assert new_folder(tmp_path, "today unet") == tmp_path / "today unet 3"


def test_an_empty_field_is_a_dated_folder_below_the_documents(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "runs_folder", lambda: tmp_path / "trainings")
    field = RunFolder()
    qtbot.addWidget(field.native)
    chosen = field.to_use("unet")
    assert chosen.parent == tmp_path / "trainings"
    assert chosen.name[:2] == "20"
    assert chosen.name.endswith(" unet")
    field.value = Path("mine")
    assert field.to_use("unet") == Path.cwd() / "mine"
    assert run_folder.RunFolder.__doc__
