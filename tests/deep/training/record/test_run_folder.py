"""What a run folder holds, and that it belongs to one training."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
from shared.trainings import TINY, discs, short

from napari_segment.deep.training import train
from napari_segment.deep.training.record.run_folder import Record
from napari_segment.errors import FormatError, SettingError
from napari_segment.step import run


def test_curves_and_pictures_are_drawn(tmp_path):
    record = Record(tmp_path)
    record.epoch({"epoch": 1, "loss": 1.0})
    record.epoch({"epoch": 2, "loss": 0.5, "dice": 0.7})
    assert (tmp_path / "curves.csv").read_text().splitlines() == [
        "epoch,loss,dice", "1,1.0,", "2,0.5,0.7",
    ]  # fmt: skip
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    plane = np.arange(12.0).reshape(3, 4)
    marks = (plane > 5).astype(np.int16) - (plane == 0)
    record.picture(2, {"image": plane, "reference": marks, "prediction": marks})
    from imagecodecs import png_decode

    picture = png_decode((tmp_path / "previews" / "epoch_0002.png").read_bytes())
    assert picture.shape == (3, 16, 3)
    assert picture[0, 4].tolist() == [0, 0, 0]
    assert picture[0, 12].tolist() == picture[0, 0].tolist()  # nothing lies over the background
    assert picture[2, 15].tolist() != picture[2, 3].tolist()


def test_the_run_folder_tells_everything(trained):
    folder = trained[1].folder
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    assert [r["epoch"] for r in rows] == [str(i) for i in range(1, 7)]
    assert float(rows[-1]["dice"]) > 0.8
    plan = json.loads((folder / "plan.json").read_text())
    assert "median image" in plan["reasons"]["patch"]
    assert json.loads((folder / "settings.json").read_text())["epochs"] == 6
    assert "8 cases to train on, 2 to validate" in (folder / "data.txt").read_text()
    assert "torch" in json.loads((folder / "versions.json").read_text())
    assert (folder / "curves.png").stat().st_size > 1000
    assert 0 <= float(rows[-1]["accuracy"]) <= 1
    assert "| Conv2d |" in (folder / "network.md").read_text()
    assert "<svg" in (folder / "network.svg").read_text()
    assert len(list((folder / "previews").glob("*.png"))) == 7


def test_a_run_folder_is_not_overwritten_unasked(tmp_path):
    short(discs(), tmp_path, epochs=1)
    with pytest.raises(SettingError, match="holds a training already"):
        short(discs(), tmp_path, epochs=1)
    short(discs(), tmp_path, epochs=1, overwrite=True)


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    settings = {"model": TINY, "epochs": 2, "steps": 3, "device": "cpu", "workers": 0, "lr": 0.01}
    first = train(discs(2), out=tmp_path / "run", **settings)
    next(first)
    held = sorted((tmp_path / "run").rglob("*"))
    for how in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(
            SettingError, match=f"in use by another training .process {os.getpid()}"
        ):
            next(train(discs(2), out=tmp_path / "run", **settings, **how))
    assert sorted((tmp_path / "run").rglob("*")) == held
    assert run(first).folder == tmp_path / "run"
    assert not list((tmp_path / "run").glob(".*"))


def test_a_run_folder_that_was_removed_is_not_made_again(tmp_path):
    work = train(
        discs(2), out=tmp_path / "run", model=TINY, epochs=9, steps=3, device="cpu", lr=0.1
    )
    while next(work).numbers.get("epoch") != 1:
        pass
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(FormatError, match="was removed"):
        run(work)
    assert not (tmp_path / "run").exists()


def test_beginning_again_forgets_the_old_network(tmp_path):
    short(discs(3), tmp_path, epochs=1, steps=2)
    work = train(discs(3), out=tmp_path, overwrite=True, model=TINY, device="cpu")
    next(s for s in work if "loss" in s.numbers)
    work.close()
    assert not (tmp_path / "model.json").exists()
    assert not (tmp_path / "state" / "last.pt").exists()
    with pytest.raises(SettingError, match="cannot be both"):
        short(discs(3), tmp_path, init_from=str(tmp_path), overwrite=True)
