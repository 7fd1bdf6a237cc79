"""Run folders are found, sorted by score, and compared by their settings."""

import json

import pytest

from napari_segment.api import find_runs
from napari_segment.cli import main
from napari_segment.deep.runs import differences
from napari_segment.errors import FormatError


@pytest.fixture
def folders(tmp_path):
    for name, lr, dice in (("a", 0.1, 0.7), ("deep/b", 0.01, 0.9), ("c", 0.1, None)):
        run = tmp_path / name
        run.mkdir(parents=True)
        settings = {"out": name, "model": {"name": "unet"}, "loss": {"name": "dice"}, "lr": lr}
        (run / "settings.json").write_text(json.dumps(settings))
        (run / "plan.json").write_text("{}")
        if dice is not None:
            (run / "model.json").write_text(json.dumps({"scores": {"dice": dice}}))
            (run / "curves.csv").write_text("epoch,loss,elapsed\n1,0.5,30\n2,0.4,90\n")
    return tmp_path


def test_runs_come_best_first_with_what_they_differ_in(folders):
    runs = find_runs([folders])
    assert [run.folder.name for run in runs] == ["b", "a", "c"]
    assert [(run.epochs, run.minutes) for run in runs] == [(2, 1.5), (2, 1.5), (0, 0.0)]
    assert differences(runs) == ["lr"]
    assert differences(runs[1:]) == []


def test_the_command_prints_a_table_and_json(folders, capsys):
    assert main(["runs", str(folders)]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["run", "dice", "model", "loss", "epochs", "minutes", "lr"]
    assert first.split()[1:] == ["0.9000", "unet", "dice", "2", "1.5", "0.01"]
    assert main(["runs", str(folders / "a"), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["settings"]["lr"] == 0.1


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(FormatError, match="holds no run"):
        find_runs([tmp_path])
