"""What a run folder holds."""

import numpy as np

from napari_segment.deep.training.record.run_folder import Record


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
