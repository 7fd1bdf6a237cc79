"""The method `nnunet` in Python, on the command line and as a recipe; stored and resumed."""

from __future__ import annotations

import json
import shutil

import nibabel
import numpy as np
import pytest
import torch

from napari_segment import Image, api, segment
from napari_segment.cli import main
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.exchange import nnunet
from napari_segment.exchange.catalogue.adding import add_model
from napari_segment.exchange.nnunet.kind import KIND
from napari_segment.exchange.nnunet.unet_torch import UNet
from napari_segment.step import run


@pytest.fixture
def results(made, tmp_path):
    own = made.configuration((8, 16, 16), (1, 1, 1))
    results = made.Results(tmp_path, {"3d_fullres": own})
    results.write("3d_fullres")
    results.fold("3d_fullres", own=True)
    return results


@pytest.fixture
def folder(results):
    return results.folder("3d_fullres")


@pytest.fixture
def image(made):
    return Image(made.smooth_noise((12, 36, 30)), "ZYX", (1.2, 0.9, 1.0), "mm")


def test_the_interfaces_give_the_same(folder, image, made, tmp_path):
    labels = segment(image, "nnunet", model_folder=folder)
    assert labels.names == {1: "low", 2: "high"}
    assert set(np.unique(labels.data)) == {0, 1, 2}
    assert np.array_equal(api.replay(labels.recipe, image).data, labels.data)
    path = made.write_nifti(tmp_path / "ct.nii.gz", image.data, image.spacing)
    out = tmp_path / "out.nii.gz"
    given = ["segment", "nnunet", str(path), "--model-folder", str(folder), "-o", str(out)]
    assert main(given) == 0
    assert np.array_equal(np.asarray(nibabel.load(out).dataobj).T, labels.data)


def test_lazy_images_give_the_same(folder, image):
    import dask.array as da

    lazy = Image(da.from_array(image.data, chunks=(5, 20, 20)), "ZYX", image.spacing, "mm")
    labels = segment(image, "nnunet", model_folder=folder).data
    assert np.array_equal(np.asarray(segment(lazy, "nnunet", model_folder=folder).data), labels)


def test_spacing_in_another_unit_gives_the_same(folder, image):
    labels = segment(image, "nnunet", model_folder=folder).data
    micro = Image(image.data, "ZYX", (1200.0, 900.0, 1000.0), "micrometer")
    assert np.array_equal(segment(micro, "nnunet", model_folder=folder).data, labels)
    with pytest.warns(UserWarning, match="not resampled: its spacing is in pixel"):
        unknown = segment(image.data, "nnunet", model_folder=folder, axes="ZYX").data
    exact = Image(image.data, "ZYX", (1.0, 1.0, 1.0), "mm")
    assert np.array_equal(segment(exact, "nnunet", model_folder=folder).data, unknown)


def test_a_killed_run_goes_on(folder, image, tmp_path):
    """Of a stored run that ended in the middle only the rest is computed, to the same labels."""
    labels = segment(image, "nnunet", model_folder=folder).data
    recipe = api.recipe_of(("nnunet", {"model_folder": folder, "store": tmp_path / "store"}))
    steps = api.segment_steps(image, recipe)
    for step in steps:
        if step.total > 1 and step.done > step.total * 0.7:
            break
    steps.close()
    messages = []
    steps = api.segment_steps(image, recipe)
    while True:
        try:
            messages.append(next(steps).message)
        except StopIteration as stop:
            stored = stop.value
            break
    assert any(m.startswith("going on with the last") for m in map(_last, messages))
    assert np.array_equal(np.asarray(stored.data), labels)
    assert np.array_equal(np.asarray(run(api.segment_steps(image, recipe)).data), labels)


def _last(message):
    return message.rpartition(": ")[2] if "tiles" in message else message


def test_other_weights_start_a_store_anew(results, image, tmp_path):
    folder, store = results.folder("3d_fullres"), tmp_path / "store"
    first = np.asarray(segment(image, "nnunet", model_folder=folder, store=store).data)
    results.fold("3d_fullres", own=True, seed=5)
    second = np.asarray(segment(image, "nnunet", model_folder=folder, store=store).data)
    assert (first != second).any()
    assert np.array_equal(second, segment(image, "nnunet", model_folder=folder).data)


def test_folds_and_weights_are_chosen(results, image):
    folder = results.folder("3d_fullres")
    results.fold("3d_fullres", 1, own=True, seed=1)
    results.fold("3d_fullres", "all", own=True, seed=2)
    results.fold("3d_fullres", 0, own=True, seed=3, file="best")
    each = [
        segment(image, "nnunet", model_folder=folder, folds=f).data for f in ((0,), (1,), "all")
    ]
    both = segment(image, "nnunet", model_folder=folder).data
    best = segment(image, "nnunet", model_folder=folder, weights="best").data
    assert all((a != b).any() for a, b in zip([*each, both], [*each[1:], both, best], strict=True))
    with pytest.raises(FormatError, match=r"no checkpoint_final.pth of fold 7 .* 0, 1, all"):
        segment(image, "nnunet", model_folder=folder, folds=(0, 7))
    with pytest.raises(FormatError, match=r"no checkpoint_latest.pth of fold any"):
        segment(image, "nnunet", model_folder=folder, weights="latest")


def test_the_folder_of_a_data_set(results, image, made):
    labels = segment(image, "nnunet", model_folder=results.root).data
    results.configurations["3d_lowres"] = made.configuration((8, 16, 16), (2, 2, 2))
    results.write("3d_lowres")
    results.fold("3d_lowres", own=True)
    with pytest.raises(SettingError, match="3d_fullres, nnUNetTrainer__nnUNetPlans__3d_lowres"):
        segment(image, "nnunet", model_folder=results.root)
    chosen = segment(image, "nnunet", model_folder=results.root, configuration="3d_fullres")
    assert np.array_equal(chosen.data, labels)


def test_what_does_not_fit_is_explained(results, image, tmp_path):
    folder = results.folder("3d_fullres")
    with pytest.raises(SettingError, match="needs a model folder"):
        segment(image, "nnunet", model_folder="")
    with pytest.raises(FormatError, match="There is no folder"):
        segment(image, "nnunet", model_folder=tmp_path / "absent")
    with pytest.raises(FormatError, match=r"holds no dataset.json"):
        segment(image, "nnunet", model_folder=folder / "fold_0")
    with pytest.raises(InputError, match=r"takes 1 channel\(s\) \(channel 0\), but"):
        segment(np.zeros((2, 8, 8, 8)), "nnunet", model_folder=folder, axes="CZYX")
    with pytest.raises(InputError, match="takes volumes, but the image is 2-D"):
        segment(np.zeros((8, 8)), "nnunet", model_folder=folder)


def test_weights_of_another_network_are_refused(results, image):
    results.dataset["labels"]["third"] = 3
    results.write("3d_fullres")
    with pytest.raises(FormatError, match=r"do not fit its plans.json: decoder.seg_layers"):
        segment(image, "nnunet", model_folder=results.folder("3d_fullres"))


def test_weights_of_another_configuration_are_refused(results, image):
    path = results.folder("3d_fullres") / "fold_0" / "checkpoint_final.pth"
    content = torch.load(path, weights_only=False)
    content["init_args"]["configuration"] = "3d_lowres"
    torch.save(content, path)
    with pytest.raises(FormatError, match="trained as '3d_lowres', not as '3d_fullres'"):
        segment(image, "nnunet", model_folder=results.folder("3d_fullres"))


def test_an_unusual_order_of_axes_is_said(folder, image):
    """A sagittal stack: its first axis runs to the right."""
    affine = np.zeros((4, 4))
    affine[0, 1] = affine[1, 2] = affine[2, 0] = affine[3, 3] = 1
    sagittal = Image(image.data, "ZYX", (1.0, 1.0, 1.0), "mm", affine=affine)
    with pytest.warns(UserWarning, match="The axes of the image run to RSA"):
        segment(sagittal, "nnunet", model_folder=folder)


def test_a_reader_that_turns_to_ras_makes_the_result_follow_the_image(made, image, tmp_path):
    own = made.configuration((8, 16, 16), (1, 1, 1))
    results = made.Results(tmp_path, {"3d_fullres": own}, reader="NibabelIOWithReorient")
    results.write("3d_fullres")
    folder = results.fold("3d_fullres", own=True)
    ras = Image(image.data, "ZYX", image.spacing, "mm", affine=np.diag([1.2, 0.9, 1.0, 1]))
    labels = segment(ras, "nnunet", model_folder=folder).data
    back = np.diag([1.2, -0.9, -1.0, 1])
    lps = Image(image.data[:, ::-1, ::-1], "ZYX", image.spacing, "mm", affine=back)
    assert np.array_equal(segment(lps, "nnunet", model_folder=folder).data, labels[:, ::-1, ::-1])


def test_2d_images_of_an_rgb_network(made, tmp_path):
    own = made.configuration((16, 16), (1, 1), channels=3, scheme="RGBTo01Normalization")
    results = made.Results(tmp_path, {"2d": own}, channels=3, reader="NaturalImage2DIO")
    results.write("2d")
    folder = results.fold("2d", own=True, mirror=(0, 1))
    rgb = np.random.default_rng(0).integers(0, 256, (3, 40, 30))
    labels = segment(rgb, "nnunet", model_folder=folder, axes="CYX")
    assert labels.data.shape == (40, 30)
    with pytest.raises(InputError, match="values from 0 to 255, but the image has 0 to 510"):
        segment(rgb * 2, "nnunet", model_folder=folder, axes="CYX")


def test_describe_reads_no_weights(folder):
    for path in folder.glob("fold_*/*.pth"):
        path.write_bytes(b"")
    card = nnunet.describe(folder)
    assert card["title"] == "Dataset001_Made"
    assert card["classes"] == ("low", "high")
    assert (card["spacing"], card["unit"], card["channels"]) == (
        (1, 1, 1),
        "millimeter",
        ("channel 0",),
    )
    assert (card["configuration"], card["folds"], card["ndim"]) == ("3d_fullres", ("0",), 3)
    json.dumps(card)


def test_empty_images_are_background_or_a_class(folder):
    """No voxel is nonzero: the whole image is the box, and constant tiles are computed once."""
    labels = segment(
        Image(np.zeros((9, 20, 20)), "ZYX", (1.0,) * 3, "mm"), "nnunet", model_folder=folder
    )
    assert labels.data.shape == (9, 20, 20)


def test_parameters_have_the_names_of_nnunet(folder):
    weights = torch.load(folder / "fold_0" / "checkpoint_final.pth", weights_only=False)
    names = set(weights["network_weights"])
    assert "encoder.stages.0.0.convs.0.conv.weight" in names
    assert "decoder.transpconvs.0.bias" in names
    assert isinstance(nnunet.open_folder(folder).network(mirrored=False), UNet)


def test_a_model_of_this_machine_by_its_name(results, image, tmp_path, monkeypatch):
    """The kind is recognised, its files are copied without what does not belong to it."""
    monkeypatch.setenv("NAPARI_SEGMENT_MODELS", str(tmp_path / "models"))
    folder = results.folder("3d_fullres")
    (folder / "fold_0" / "training_log.txt").write_text("x")
    labels = segment(image, "nnunet", model_folder=folder).data
    assert KIND.find(folder / "fold_0") is None
    assert KIND.find(results.root) == results.root
    added = run(add_model(results.root, name="made"))
    assert added.card.classes == ("low", "high")
    assert not list((tmp_path / "models").rglob("*.txt"))
    shutil.rmtree(results.root)
    assert np.array_equal(segment(image, "nnunet", model_folder="made").data, labels)
