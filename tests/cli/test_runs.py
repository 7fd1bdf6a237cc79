"""Trainings side by side."""

import json

from napari_segment.cli import main


def test_each_column_is_shown_once(tmp_path, capsys):
    for name, minutes, lr in (("a", 1, 0.1), ("b", 2, 0.2)):
        folder = tmp_path / name
        folder.mkdir()
        settings = {"model": {"name": "unet"}, "loss": {"name": "dice"}, "lr": lr}
        settings |= {"minutes": minutes, "epochs": minutes}
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "plan.json").write_text("{}")
        (folder / "model.json").write_text(json.dumps({"scores": {"dice": lr}}))
        (folder / "curves.csv").write_text("epoch,elapsed\n1,30\n2,60\n3,90\n")
    assert main(["runs", str(tmp_path)]) == 0
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert head == ["run", "dice", "model", "loss", "epochs", "minutes", "lr"]
    assert [row[1:] for row in rows] == [
        ["0.2000", "unet", "dice", "3", "1.5", "0.2"],
        ["0.1000", "unet", "dice", "3", "1.5", "0.1"],
    ]
