"""Bundles give the labels of MONAI's own transforms and sliding window."""

from __future__ import annotations

import json
import shutil

import nibabel
import numpy as np
import pytest
import torch
import yaml
from monai.bundle import ConfigParser
from monai.inferers import SlidingWindowInferer
from monai.networks import nets
from scipy import ndimage

from napari_segment import Image, segment
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.exchange.monai_bundle import KIND, open_bundle

UNET = {
    "_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 3,
    "channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": "batch",
}  # fmt: skip
READ = [
    {"_target_": "LoadImaged", "keys": "@key"},
    {"_target_": "EnsureChannelFirstd", "keys": "@key"},
]
SCALE = [{"_target_": "NormalizeIntensityd", "keys": "@key", "nonzero": True}]
GRID = [
    {"_target_": "Orientationd", "keys": "@key", "axcodes": "LPS"},
    {"_target_": "Spacingd", "keys": "@key", "pixdim": "@spacing", "mode": "bilinear"},
]
AFTER = [
    {"_target_": "Activationsd", "keys": "pred", "softmax": True},
    {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "@key",
     "nearest_interp": False},
    {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
    {"_target_": "SaveImaged", "keys": "pred", "output_dir": "$import_nothing"},
]  # fmt: skip


def write_bundle(folder, network=None, before=SCALE, after=AFTER, window=None, **more):
    """A bundle with random weights."""
    own = network or UNET
    window = window or {"roi_size": [16, 16, 8], "overlap": 0.25, "mode": "gaussian"}
    configuration = {
        "imports": ["$import os"], "device": "$torch.device('cpu')", "key": "image",
        "spacing": [1.2, 1.5, 2.0], "network_def": own, "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": [*READ, *before]},
        "inferer": {"_target_": "SlidingWindowInferer", **window},
        "postprocessing": {"_target_": "Compose", "transforms": after},
    }  # fmt: skip
    channels = {"0": "background", "1": "liver", "2": "tumour"}
    metadata = {
        "name": "Tiny", "description": "Nothing.", "authors": "Somebody",
        "network_data_format": {"outputs": {"pred": {"channel_def": channels}}},
    }  # fmt: skip
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs/inference.json").write_text(json.dumps(configuration | more))
    (folder / "configs/metadata.json").write_text(json.dumps(metadata))
    torch.manual_seed(0)
    made = getattr(nets, own["_target_"])(**{k: v for k, v in own.items() if k != "_target_"})
    for name, value in made.named_buffers():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
    torch.save(made.state_dict(), folder / "models/model.pt")
    return folder


def monai_labels(folder, file):
    """The labels of MONAI's own bundle parser, transforms and inferer."""
    content = json.loads((folder / "configs/inference.json").read_text())
    content["postprocessing"]["transforms"] = [
        t for t in content["postprocessing"]["transforms"] if t["_target_"] != "SaveImaged"
    ]
    parser = ConfigParser({k: v for k, v in content.items() if k not in ("imports", "network")})
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(folder / "models/model.pt", weights_only=True))
    before = parser.get_parsed_content("preprocessing")
    data = before({"image": str(file)})
    inferer = parser.get_parsed_content("inferer")
    assert isinstance(inferer, SlidingWindowInferer)
    with torch.inference_mode():
        data["pred"] = inferer(data["image"][None], network)[0]
    after = parser.get_parsed_content("postprocessing")
    return np.asarray(after(data)["pred"][0]).transpose()


def noise(shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    return (smooth / smooth.std() * 100 + 300).astype(np.float32)


def write_nifti(path, volume, affine):
    nibabel.save(nibabel.Nifti1Image(volume.transpose(), affine), path)
    return path


def check(folder, file, given=None, **settings):
    theirs = monai_labels(folder, file)
    labels = segment(file if given is None else given, "monai_bundle", bundle=folder,
                     device="cpu", precision="float32", **settings)  # fmt: skip
    ours = np.asarray(labels.data)
    assert ours.shape == theirs.shape
    assert len(np.unique(theirs)) > 1
    assert (ours == theirs).mean() >= 0.999
    return labels


NO_TIES = np.diag([-0.93, 1.07, 2.3, 1.0])  # no voxel in the middle of two others
LAS = np.diag([-0.9, 1.1, 2.5, 1.0])
TURNED = np.array([[0, 0, 2.5, 3], [-0.9, 0, 0, 7], [0, 1.1, 0, -4], [0, 0, 0, 1.0]])


@pytest.mark.parametrize(
    ("before", "affine"),
    [
        (SCALE, np.diag([0.9, 1.1, 2.5, 1])),
        ([*GRID, *SCALE], LAS),
        ([*GRID, *SCALE], TURNED),
        ([GRID[1], GRID[0], *SCALE], LAS),
    ],
    ids=["as it is", "flipped", "turned", "spacing first"],
)
def test_volumes_agree_with_monai(tmp_path, before, affine):
    folder = write_bundle(tmp_path / "bundle", before=before)
    file = write_nifti(tmp_path / "image.nii.gz", noise((14, 24, 30)), affine)
    labels = check(folder, file)
    assert labels.holds == "classes"
    assert labels.names == {1: "liver", 2: "tumour"}


def test_labels_brought_back_by_the_nearest_voxel_and_equal_weights(tmp_path):
    after = [AFTER[0], AFTER[2], {**AFTER[1], "nearest_interp": True}]
    window = {"roi_size": [16, -1, 8], "overlap": [0.5, 0.25, 0.5]}
    folder = write_bundle(tmp_path / "bundle", before=[*GRID, *SCALE], after=after, window=window)
    file = write_nifti(tmp_path / "image.nii.gz", noise((9, 24, 10)), NO_TIES)
    check(folder, file)


NETWORKS = {
    "SegResNet": {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "init_filters": 8},
    "DynUNet": {
        "spatial_dims": 3, "in_channels": 1, "out_channels": 3, "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2], "upsample_kernel_size": [2, 2], "filters": [4, 8, 8],
        "deep_supervision": True,
    },
    "BasicUNet": {"spatial_dims": 3, "out_channels": 3, "features": [4, 4, 8, 8, 8, 4]},
    "SwinUNETR": {
        "in_channels": 1, "out_channels": 3, "feature_size": 12, "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 2, 2],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(tmp_path, name):
    side = [64, 32, 32]
    folder = write_bundle(
        tmp_path / "bundle", {"_target_": name, **NETWORKS[name]}, window={"roi_size": side}
    )
    file = write_nifti(tmp_path / "image.nii.gz", noise((20, 32, 30)), np.eye(4))
    check(folder, file)


PLANE = UNET | {"spatial_dims": 2, "out_channels": 1}
MASK = [
    {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
    {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5},
]


@pytest.fixture
def plane_bundle(tmp_path):
    before = [{"_target_": "ScaleIntensityd", "keys": ["@key"], "minv": -1.0, "maxv": 1.0}]
    window = {"roi_size": [24, 16], "overlap": 0.5, "mode": "constant"}
    return write_bundle(tmp_path / "plane", PLANE, before, MASK, window)


def test_planes_agree_with_monai(tmp_path, plane_bundle):
    image = noise((40, 52))
    file = tmp_path / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(image.transpose(), np.eye(4)), file)
    labels = check(plane_bundle, file, Image(image, "YX"))
    assert labels.holds == "mask"


def test_a_stack_goes_through_a_plane_bundle_plane_by_plane(plane_bundle):
    stack = np.stack([noise((40, 52)), 7 * noise((40, 52), 1)])
    whole = segment(Image(stack, "ZYX"), "monai_bundle", bundle=plane_bundle, device="cpu")
    for plane, labels in zip(stack, np.asarray(whole.data), strict=True):
        alone = segment(Image(plane, "YX"), "monai_bundle", bundle=plane_bundle, device="cpu")
        np.testing.assert_array_equal(labels, alone.data)


def test_yaml_zip_files_and_forms_without_keys(tmp_path, plane_bundle):
    image = Image(noise((40, 52)), "YX")
    expected = segment(image, "monai_bundle", bundle=plane_bundle, device="cpu").data
    file = plane_bundle / "configs/inference.json"
    content = json.loads(file.read_text())
    content["preprocessing"] = [
        {"_target_": "monai.transforms.ScaleIntensity", "minv": -1.0, "maxv": 1.0}
    ]
    file.unlink()
    file.with_suffix(".yaml").write_text(yaml.safe_dump(content))
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "plane")
    for given in (plane_bundle, packed):
        labels = segment(image, "monai_bundle", bundle=given, device="cpu")
        np.testing.assert_array_equal(labels.data, expected)


def test_what_the_image_does_not_say_is_said(tmp_path):
    folder = write_bundle(tmp_path / "bundle", before=[*GRID, *SCALE])
    image = Image(noise((14, 24, 30)), "ZYX")
    with pytest.warns(UserWarning, match="not") as said:
        segment(image, "monai_bundle", bundle=folder, device="cpu")
    text = " ".join(str(one.message) for one in said)
    assert "not resampled" in text
    assert "not turned" in text


def test_steps_that_are_not_run_are_named(tmp_path):
    after = [*AFTER, {"_target_": "KeepLargestConnectedComponentd", "keys": "pred"}]
    folder = write_bundle(tmp_path / "bundle", after=after)
    with pytest.warns(UserWarning, match="KeepLargestConnectedComponentd"):
        segment(Image(noise((9, 20, 20)), "ZYX"), "monai_bundle", bundle=folder, device="cpu")


def test_images_that_do_not_fit(tmp_path, plane_bundle):
    folder = write_bundle(tmp_path / "bundle")
    with pytest.raises(InputError, match="takes volumes"):
        segment(Image(noise((20, 20)), "YX"), "monai_bundle", bundle=folder)
    with pytest.raises(InputError, match="takes 1 channel"):
        segment(Image(noise((2, 20, 20)), "CYX"), "monai_bundle", bundle=plane_bundle)
    with pytest.raises(SettingError, match="needs a bundle"):
        open_bundle("")
    with pytest.raises(FormatError, match="no MONAI bundle"):
        open_bundle(tmp_path)


def test_the_card(tmp_path):
    folder = write_bundle(tmp_path / "bundle", before=[*GRID, *SCALE])
    assert KIND.find(folder) == folder
    assert KIND.find(tmp_path) is None
    card = KIND.card(folder)
    assert card.title == "Tiny"
    assert card.classes == ("liver", "tumour")
    assert card.network == "MONAI UNet"
    assert card.spacing == (2.0, 1.5, 1.2)
    assert len(list(KIND.files(folder))) == 3
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert KIND.find(type(folder)(packed)) is not None
