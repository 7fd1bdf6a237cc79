"""The labels of every configuration are those of nnU-Net's own predictor."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment import Image, segment
from napari_segment.errors import FormatError


@pytest.fixture(autouse=True)
def _installed(made):
    made.need_oracle()


@pytest.fixture
def case(made, tmp_path):
    return lambda *arguments, **settings: write_case(made, tmp_path, *arguments, **settings)


@pytest.fixture
def check(made):
    return lambda *arguments, **settings: compare(made, *arguments, **settings)


def write_case(made, tmp_path, shape, spacing, *, channels=1, margin=0):
    """The files of one case, one for each channel, and the image they are of."""
    volumes = [made.smooth_noise(shape, seed=c, margin=margin) for c in range(channels)]
    files = [
        made.write_nifti(tmp_path / f"case_{c:04}.nii.gz", volume, spacing)
        for c, volume in enumerate(volumes)
    ]
    return files, Image(np.stack(volumes), "CZYX", spacing, "mm")


def compare(made, folder, files, image, folds=(0,), **settings):
    theirs = made.nnunet_labels(folder, files, folds)
    given = files[0] if len(files) == 1 else image
    ours = segment(given, "nnunet", model_folder=folder, device="cpu", **settings)
    equal, dice = made.agreement(ours.data, theirs)
    assert equal >= 0.9999
    assert dice >= 0.999
    assert len(np.unique(theirs)) > 1
    return ours


CASES = {
    "as it is": ((14, 40, 36), (1, 1, 1), {}),
    "smaller than a tile": ((5, 12, 40), (1, 1, 1), {}),
    "resampled": ((20, 30, 34), (1.3, 0.8, 0.8), {"margin": 3}),
    "thick planes": ((6, 30, 34), (4, 0.8, 0.8), {"margin": 1}),
    "thin planes to thick": ((24, 30, 34), (2, 0.8, 0.8), {"network": (4, 1, 1), "margin": 1}),
    "masked": ((14, 30, 34), (1.2, 1, 1), {"margin": 4, "masked": True}),
    "masked thick planes": ((8, 30, 34), (4, 0.8, 0.8), {"margin": 2, "masked": True}),
    "CT": ((14, 30, 34), (1.5, 1.1, 0.9), {"scheme": "CTNormalization"}),
    "from 0 to 1": ((14, 30, 34), (1, 1, 0.9), {"scheme": "RescaleTo01Normalization"}),
    "no normalisation": ((14, 30, 34), (1, 1, 0.9), {"scheme": "NoNormalization"}),
    "transposed": ((24, 10, 30), (0.8, 2, 0.9), {"transpose": (1, 2, 0)}),
    "residual": ((14, 40, 36), (1, 1.3, 1.3), {"residual": True}),
    "two channels": ((14, 40, 36), (1, 1.2, 1.2), {"channels": 2}),
    "two folds": ((14, 40, 36), (1, 1.2, 1.2), {"folds": (0, 1)}),
}


@pytest.mark.parametrize("name", CASES)
def test_3d_fullres(name, tmp_path, made, case, check):
    shape, spacing, what = CASES[name]
    channels = what.get("channels", 1)
    own = made.configuration(
        (8, 16, 16), what.get("network", (1, 1, 1)), channels,
        what.get("scheme", "ZScoreNormalization"), what.get("masked", False),
    )  # fmt: skip
    own["architecture"] = made.architecture(3, residual=what.get("residual", False))
    results = made.Results(
        tmp_path, {"3d_fullres": own}, channels=channels, transpose=what.get("transpose", (0, 1, 2))
    )
    folds = what.get("folds", (0,))
    for fold in folds:
        folder = results.fold("3d_fullres", fold, seed=fold)
    files, image = case(shape, spacing, channels=channels, margin=what.get("margin", 0))
    labels = check(folder, files, image, folds)
    assert labels.names == {1: "low", 2: "high"}
    assert labels.holds == "classes"


@pytest.mark.parametrize(("mirror", "step"), [((0, 2), 0.5), (None, 0.5), ((0, 1, 2), 0.7)])
def test_mirror_axes_and_steps(mirror, step, tmp_path, made, case, check):
    results = made.Results(tmp_path, {"3d_lowres": made.configuration((8, 16, 16), (2, 2, 2))})
    folder = results.fold("3d_lowres", mirror=mirror)
    files, _ = case((20, 60, 50), (1, 1, 1))
    theirs = made.nnunet_labels(folder, files, step=step)
    ours = segment(files[0], "nnunet", model_folder=folder, overlap=1 - step)
    assert min(made.agreement(ours.data, theirs)) >= 0.999
    plain = segment(files[0], "nnunet", model_folder=folder, test_time_augmentation=False)
    without = made.nnunet_labels(folder, files, mirror=False)
    assert min(made.agreement(plain.data, without)) >= 0.999
    if mirror:
        assert (plain.data != ours.data).any()


@pytest.mark.parametrize("spacing", [(3, 0.7, 0.8), (1, 1, 1)])
def test_2d_plane_by_plane(spacing, tmp_path, made, case, check):
    results = made.Results(tmp_path, {"2d": made.configuration((16, 16), (1, 1))})
    folder = results.fold("2d", mirror=(0, 1))
    files, image = case((7, 40, 36), spacing, margin=1)
    check(folder, files, image)


def test_regions_and_the_ignore_label(tmp_path, made, case, check):
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "rest": 3, "ignore": 4}
    results = made.Results(
        tmp_path, {"3d_fullres": made.configuration((8, 16, 16), (1, 1, 1))}, labels=labels,
        regions_class_order=[1, 2, 3],
    )  # fmt: skip
    folder = results.fold("3d_fullres")
    files, image = case((14, 40, 36), (1, 1.3, 0.8))
    ours = check(folder, files, image)
    assert ours.names == {1: "whole", 2: "core", 3: "rest"}


def test_the_ignore_label_has_no_output(tmp_path, made, case, check):
    labels = {"background": 0, "low": 1, "high": 2, "ignore": 3}
    results = made.Results(
        tmp_path, {"3d_fullres": made.configuration((8, 16, 16), (1, 1, 1))}, labels=labels
    )
    folder = results.fold("3d_fullres")
    files, image = case((14, 40, 36), (1, 1, 1))
    assert check(folder, files, image).values == (0, 1, 2)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1.3, 0.7, 0.8), (4, 0.9, 0.9)])
def test_a_cascade(spacing, tmp_path, made, case):
    full = made.configuration((8, 16, 16), (1, 1, 1))
    several = {
        "3d_fullres": full,
        "3d_lowres": {**full, "spacing": [2, 2, 2], "next_stage": "3d_cascade_fullres"},
        "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
    }
    results = made.Results(tmp_path, several, transpose=(0, 2, 1))
    low, folder = results.fold("3d_lowres"), results.fold("3d_cascade_fullres", seed=1)
    files, _ = case((16, 40, 36), spacing, margin=2)
    coarse = made.nnunet_labels(low, files)
    previous = made.write_nifti(tmp_path / "previous.nii.gz", coarse, spacing)
    theirs = made.nnunet_labels(folder, files, previous=previous)
    ours = segment(files[0], "nnunet", model_folder=folder)
    assert min(made.agreement(ours.data, theirs)) >= 0.999
    assert made.agreement(ours.data, theirs)[0] >= 0.9999
    assert (theirs != coarse).any()
    low.rename(tmp_path / "elsewhere__3d_lowres")
    with pytest.raises(FormatError, match="needs the labels of '3d_lowres'"):
        segment(files[0], "nnunet", model_folder=folder)
    again = segment(
        files[0], "nnunet", model_folder=folder, previous_stage=tmp_path / "elsewhere__3d_lowres"
    )
    assert np.array_equal(again.data, ours.data)


@pytest.mark.parametrize("scheme", ["RGBTo01Normalization", "ZScoreNormalization"])
def test_png_files_of_colours(scheme, tmp_path, made):
    from PIL import Image as Picture

    own = made.configuration((16, 32), (1, 1), channels=3, scheme=scheme)
    names = {"channel_names": {"0": "R", "1": "G", "2": "B"}}
    results = made.Results(
        tmp_path, {"2d": own}, channels=3, reader="NaturalImage2DIO", ending=".png", **names
    )
    folder = results.fold("2d", mirror=(0, 1))
    noise = np.stack([made.smooth_noise((40, 50), seed=c) for c in range(3)], -1)
    Picture.fromarray(np.clip(noise + 120, 0, 255).astype(np.uint8)).save(tmp_path / "a_0000.png")
    theirs = made.nnunet_labels(folder, [tmp_path / "a_0000.png"])
    ours = segment(tmp_path / "a_0000.png", "nnunet", model_folder=folder)
    assert min(made.agreement(ours.data, theirs[0])) >= 0.9999
    assert len(np.unique(theirs)) > 1


def test_tiff_volumes_with_their_spacing_in_a_file(tmp_path, made):
    import tifffile

    own = made.configuration((8, 16, 16), (2, 1, 1))
    results = made.Results(tmp_path, {"3d_fullres": own}, reader="Tiff3DIO", ending=".tif")
    folder = results.fold("3d_fullres")
    volume = made.smooth_noise((14, 40, 36))
    tifffile.imwrite(tmp_path / "case_0000.tif", volume)
    (tmp_path / "case.json").write_text('{"spacing": [1.5, 1.1, 0.9]}')
    theirs = made.nnunet_labels(folder, [tmp_path / "case_0000.tif"])
    image = Image(volume, "ZYX", (1.5, 1.1, 0.9), "pixel")
    ours = segment(image, "nnunet", model_folder=folder)
    assert min(made.agreement(ours.data, theirs)) >= 0.999
    assert len(np.unique(theirs)) > 1


def test_files_of_nibabel_and_2d_nifti(tmp_path, made):
    own = made.configuration((16, 16), (1, 1))
    results = made.Results(tmp_path, {"2d": own})
    folder = results.fold("2d", mirror=(0, 1))
    flat = made.write_nifti(tmp_path / "f_0000.nii.gz", made.smooth_noise((40, 36)), (0.8, 1.2))
    theirs = made.nnunet_labels(folder, [flat])
    image = Image(made.smooth_noise((40, 36)), "YX", (0.8, 1.2), "mm")
    ours = segment(image, "nnunet", model_folder=folder)
    assert min(made.agreement(ours.data, theirs[0])) >= 0.9999
    results.plans["image_reader_writer"] = "NibabelIO"
    results.write("2d")
    stack = made.write_nifti(tmp_path / "s_0000.nii.gz", made.smooth_noise((5, 40, 36)), (3, 1, 1))
    theirs = made.nnunet_labels(folder, [stack])
    ours = segment(stack, "nnunet", model_folder=folder)
    assert min(made.agreement(ours.data, theirs)) >= 0.9999


def test_a_reader_that_turns_images(tmp_path, made):
    """An image stored from left to right and back to front, as LPS has it."""
    own = made.configuration((8, 16, 16), (1, 1, 1))
    results = made.Results(tmp_path, {"3d_fullres": own}, reader="SimpleITKIOWithReorient")
    folder = results.fold("3d_fullres", mirror=None)
    volume = made.smooth_noise((10, 30, 36))
    direction = (-1, 0, 0, 0, 0, 1, 0, 1, 0)
    file = made.write_nifti(tmp_path / "t_0000.nii.gz", volume, (1, 1.1, 0.9), direction)
    turned = made.nnunet_labels(folder, [file])
    ours = segment(file, "nnunet", model_folder=folder)
    import SimpleITK as sitk

    labels = sitk.GetImageFromArray(turned)
    labels.CopyInformation(sitk.DICOMOrient(sitk.ReadImage(str(file)), "RAS"))
    code = sitk.DICOMOrientImageFilter_GetOrientationFromDirectionCosines(direction)
    theirs = sitk.GetArrayFromImage(sitk.DICOMOrient(labels, code))
    assert min(made.agreement(ours.data, theirs)) >= 0.999


@pytest.mark.parametrize("spacing", [(1.3, 0.8, 0.8), (4, 0.8, 0.8)])
def test_resampling_by_torch(spacing, tmp_path, made, case, check):
    own = made.configuration((8, 16, 16), (1, 1, 1))
    for of in ("data", "seg", "probabilities"):
        own[f"resampling_fn_{of}"] = "resample_torch_fornnunet"
        own[f"resampling_fn_{of}_kwargs"] = {"is_seg": of == "seg", "force_separate_z": False}
        own[f"resampling_fn_{of}_kwargs"] |= {"memefficient_seg_resampling": False}
    own["resampling_fn_probabilities_kwargs"]["force_separate_z"] = None
    results = made.Results(tmp_path, {"3d_fullres": own})
    folder = results.fold("3d_fullres")
    files, image = case((8, 30, 34), spacing, margin=1)
    check(folder, files, image)


def test_old_plans(tmp_path, made, case, check):
    own = made.configuration((8, 16, 16), (1, 1, 1))
    del own["architecture"]
    own |= {
        "UNet_class_name": "PlainConvUNet", "UNet_base_num_features": 4, "unet_max_num_features": 6,
        "n_conv_per_stage_encoder": [1, 2], "n_conv_per_stage_decoder": [1],
        "num_pool_per_axis": [1, 1, 1], "pool_op_kernel_sizes": [[1, 1, 1], [1, 2, 2]],
        "conv_kernel_sizes": [[1, 3, 3], [3, 3, 3]],
    }  # fmt: skip
    results = made.Results(tmp_path, {"3d_fullres": own})
    folder = results.fold("3d_fullres")
    files, image = case((14, 40, 36), (1, 1, 1))
    check(folder, files, image)


def test_nnunet_as_it_is_with_a_trained_network(tmp_path, made, case):
    """nnU-Net sums in half precision, which changes few labels of a network that has learnt."""
    results = made.Results(tmp_path, {"3d_fullres": made.configuration((8, 16, 16), (1, 1, 1))})
    volume = made.smooth_noise((16, 48, 48), seed=5)
    folder = results.fold("3d_fullres", trained_on=(volume, np.digitize(volume, [0, 60])))
    files, _ = case((14, 40, 36), (1, 1, 1))
    theirs = made.nnunet_labels(folder, files, exact=False)
    ours = segment(files[0], "nnunet", model_folder=folder)
    equal, dice = made.agreement(ours.data, theirs)
    assert equal >= 0.9999
    assert dice >= 0.999
