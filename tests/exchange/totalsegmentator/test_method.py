"""Folders of the form of TotalSegmentator's, with random weights, through the three interfaces."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from napari_segment import Image, api, segment
from napari_segment.cli import main
from napari_segment.errors import FormatError, InputError, MissingError
from napari_segment.exchange.totalsegmentator import TASKS

TRAINER = "nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres"


@pytest.fixture
def write(made, tmp_path):
    """Write the folder of one data set with so many classes and return the folder of all."""
    weights = tmp_path / "home" / "nnunet" / "results"

    def write(dataset, classes, *, seed=0, spacing=1.5, names=None):
        own = made.configuration((8, 16, 16), (spacing,) * 3, scheme="CTNormalization")
        labels = {"background": 0, **{n: i for i, n in enumerate(names or classes, start=1)}}
        results = made.Results(tmp_path, {"3d_fullres": own}, labels=labels)
        results.root = weights / f"Dataset{dataset:03d}_TotalSegmentator_made"
        results.folder = lambda _: results.root / TRAINER
        results.write("3d_fullres")
        results.fold("3d_fullres", own=True, seed=seed, mirror=None)
        return weights

    return write


@pytest.fixture
def total(write):
    """All five parts."""
    for seed, part in enumerate(TASKS["total"].parts):
        weights = write(part.dataset, part.classes, seed=seed)
    return weights


@pytest.fixture
def image(made):
    affine = np.diag([2.0, 1.5, 1.2, 1.0])
    return Image(made.smooth_noise((12, 24, 26)), "ZYX", (2.0, 1.5, 1.2), "mm", affine=affine)


def test_the_official_numbers():
    names = TASKS["total"].names
    assert list(names) == list(range(1, 118))
    some = {1: "spleen", 5: "liver", 24: "kidney_cyst_right", 25: "sacrum", 26: "vertebrae_S1",
            27: "vertebrae_L5", 44: "vertebrae_C7", 51: "heart", 68: "iliac_vena_right",
            69: "humerus_left", 79: "spinal_cord", 91: "skull", 92: "rib_left_1",
            104: "rib_right_1", 116: "sternum", 117: "costal_cartilages"}  # fmt: skip
    assert {n: names[n] for n in some} == some
    assert [len(part.classes) for part in TASKS["total"].parts] == [24, 26, 18, 23, 26]
    assert len(set(names.values())) == 117
    mr = TASKS["total_mr"].names
    assert (len(mr), mr[19], mr[30], mr[50]) == (50, "vertebrae", "humerus_left", "brain")


def test_five_parts_are_joined(total, image):
    """Each part alone, as nnU-Net's folder, with the later parts over the earlier."""
    labels = segment(image, "totalsegmentator", task="total", weights_folder=total)
    expected, first = np.zeros(image.data.shape, int), 0
    for part in TASKS["total"].parts:
        (folder,) = total.glob(f"Dataset{part.dataset}_*/{TRAINER}")
        own = np.asarray(segment(image, "nnunet", model_folder=folder).data).astype(int)
        expected[own > 0] = own[own > 0] + first
        first += len(part.classes)
    assert np.array_equal(labels.data, expected)
    assert labels.names == TASKS["total"].names
    assert labels.holds == "classes"
    assert len(np.unique(expected)) > 10


def test_the_result_follows_the_image_when_it_is_turned(total, image):
    labels = segment(image, "totalsegmentator", task="total", weights_folder=total).data
    turned = image.data.transpose(2, 0, 1)[::-1, :, ::-1]
    affine = np.zeros((4, 4))  # from indices to superior, anterior, right
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = -1.2, 2.0, -1.5, 1
    other = Image(turned, "ZYX", (1.2, 2.0, 1.5), "mm", affine=affine)
    again = segment(other, "totalsegmentator", task="total", weights_folder=total)
    assert np.array_equal(again.data, labels.transpose(2, 0, 1)[::-1, :, ::-1])
    assert np.allclose(again.affine, affine)


def test_an_unknown_orientation_is_said(total, image):
    plain = Image(image.data, "ZYX", image.spacing, "mm")
    with pytest.warns(UserWarning, match="The orientation of the image is not known"):
        labels = segment(plain, "totalsegmentator", task="total", weights_folder=total)
    assert np.array_equal(
        labels.data, segment(image, "totalsegmentator", task="total", weights_folder=total).data
    )


def test_the_command_line_finds_the_weights(total, image, tmp_path, monkeypatch):
    labels = segment(image, "totalsegmentator", task="total", weights_folder=total)
    volume = nibabel.Nifti1Image(image.data.T.copy(), np.diag([1.2, 1.5, 2.0, 1]))
    nibabel.save(volume, tmp_path / "ct.nii.gz")
    monkeypatch.delenv("TOTALSEG_WEIGHTS_PATH", raising=False)
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(tmp_path / "home"))
    out = tmp_path / "out.nii.gz"
    given = ["segment", "totalsegmentator", str(tmp_path / "ct.nii.gz"), "--task", "total"]
    assert main([*given, "-o", str(out)]) == 0
    assert np.array_equal(np.asarray(nibabel.load(out).dataobj).T, labels.data)
    assert np.array_equal(api.replay(labels.recipe, image).data, labels.data)


def test_stored_parts_are_joined_lazily(total, image, tmp_path):
    labels = segment(image, "totalsegmentator", task="total", weights_folder=total).data
    store = tmp_path / "store"
    stored = segment(image, "totalsegmentator", task="total", weights_folder=total, store=store)
    assert np.array_equal(np.asarray(stored.data), labels)
    assert len([p for p in store.iterdir() if p.is_dir()]) == 5


def test_what_is_absent_is_named(total, image, monkeypatch, tmp_path):
    (folder,) = total.glob("Dataset294_*")
    folder.rename(tmp_path / "away")
    with pytest.raises(MissingError, match=r"'total' \(muscles\).*Dataset294_.*fold_0/checkpoint"):
        segment(image, "totalsegmentator", task="total", weights_folder=total)
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "empty"))
    with pytest.raises(MissingError, match=r"are not in .*empty.*totalseg_download_weights -t bo"):
        segment(image, "totalsegmentator", task="body")


def test_names_of_the_folder_and_classes_of_the_training_alone(write, image):
    """Classes in another order are taken by name; further ones become background."""
    names = ("body_extremities", "helper", "body_trunc")
    weights = write(299, names)
    own = next(weights.glob(f"Dataset299_*/{TRAINER}"))
    plain = np.asarray(segment(image, "nnunet", model_folder=own).data)
    labels = segment(image, "totalsegmentator", task="body", weights_folder=weights)
    assert labels.names == {1: "body_trunc", 2: "body_extremities"}
    assert np.array_equal(labels.data, np.array([0, 2, 0, 1])[plain])


def test_former_releases_and_other_numbers_of_classes(write, image):
    weights = write(732, TASKS["total_mr_fast"].parts[0].classes, spacing=3.0)
    labels = segment(image, "totalsegmentator", task="total_mr_fast", weights_folder=weights)
    assert labels.names[50] == "brain"
    weights = write(297, ("spleen", "liver"), spacing=3.0)
    with pytest.raises(FormatError, match="has 2 classes, but 'total_fast' has 117"):
        segment(image, "totalsegmentator", task="total_fast", weights_folder=weights)


def test_images_that_are_no_volumes_are_refused(total):
    with pytest.raises(InputError, match="takes volumes of one channel"):
        segment(np.zeros((8, 8)), "totalsegmentator", task="total", weights_folder=total)
    with pytest.raises(InputError, match="takes volumes of one channel"):
        segment(
            np.zeros((2, 8, 8, 8)),
            "totalsegmentator",
            task="total",
            weights_folder=total,
            axes="CZYX",
        )
