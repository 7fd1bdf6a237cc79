"""Bundles of somebody else: what would run is refused by its location, and nothing runs."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest
import torch

from napari_segment import Image, segment
from napari_segment.errors import FormatError
from napari_segment.exchange.monai_bundle import open_bundle

NETWORK = {
    "_target_": "UNet", "spatial_dims": 2, "in_channels": 1, "out_channels": 2,
    "channels": [4, 8], "strides": [2],
}  # fmt: skip


@pytest.fixture
def marker(tmp_path):
    """A file that is there if anything of a bundle has run."""
    file = tmp_path / "it_ran"
    yield file
    assert not file.exists()


@pytest.fixture
def bundle(tmp_path):
    """Writes a bundle with changes to its configuration."""

    def write(**changes):
        from monai.networks.nets import UNet

        folder = tmp_path / "bundle"
        content = {
            "network_def": NETWORK,
            "preprocessing": {
                "_target_": "Compose",
                "transforms": [{"_target_": "ScaleIntensityd", "keys": "image"}],
            },
            "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16]},
        }
        for name in ("configs", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "configs/inference.json").write_text(json.dumps(content | changes))
        (folder / "configs/metadata.json").write_text("{}")
        network = UNet(**{k: v for k, v in NETWORK.items() if k != "_target_"})
        torch.save(network.state_dict(), folder / "models/model.pt")
        return folder

    return write


def run(folder):
    image = Image(np.random.default_rng(0).random((20, 20), np.float32), "YX")
    return segment(image, "monai_bundle", bundle=folder, device="cpu")


def test_expressions_that_are_not_used_do_not_matter(bundle, marker):
    code = f"$__import__('os').system('touch {marker}')"
    folder = bundle(
        imports=[code], device=code, initialize=[code], run=[code], evaluator={"_target_": code},
        network=code,
    )  # fmt: skip
    assert run(folder).data.shape == (20, 20)


def compose(*steps):
    return {"_target_": "Compose", "transforms": list(steps)}


SCALE = {"_target_": "ScaleIntensityd", "keys": "image"}
HOSTILE = {
    "inference.json: network_def": {"network_def": "$CODE"},
    "inference.json: network_def.channels[1]": {
        "network_def": NETWORK | {"channels": [4, "$CODE"]}
    },
    "inference.json: network_def.strides[0]": {
        "network_def": NETWORK | {"strides": ["@hidden"]}, "hidden": "$CODE",
    },
    "inference.json: network_def._target_": {
        "network_def": {"_target_": "os.system", "command": "touch MARKER"}
    },
    "inference.json: preprocessing.transforms[1]._target_": {
        "preprocessing": compose(SCALE, {"_target_": "os.system", "command": "touch MARKER"})
    },
    "inference.json: preprocessing.transforms[0]._target_": {
        "preprocessing": compose({"_target_": "$CODE", "keys": "image"})
    },
    "inference.json: preprocessing.transforms[0].minv": {
        "preprocessing": compose(SCALE | {"minv": "$CODE"})
    },
    "inference.json: preprocessing._target_": {
        "preprocessing": {"_target_": "scripts.mine.Compose", "transforms": []}
    },
    "inference.json: inferer.roi_size": {
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "$CODE"}
    },
    "inference.json: inferer._target_": {"inferer": {"_target_": "subprocess.run"}},
    "inference.json: postprocessing.transforms[0].softmax": {
        "postprocessing": compose({"_target_": "Activationsd", "softmax": "$CODE"})
    },
    "inference.json: network_def.in_channels": {
        "network_def": NETWORK | {"in_channels": "%/etc/passwd::a"}
    },
}  # fmt: skip


@pytest.mark.parametrize("location", HOSTILE)
def test_code_is_refused_by_its_location(bundle, marker, location):
    code = f"__import__('os').system('touch {marker}')"
    text = json.dumps(HOSTILE[location]).replace("CODE", code).replace("MARKER", str(marker))
    folder = bundle(**json.loads(text))
    with pytest.raises(FormatError) as refused:
        run(folder)
    assert location in str(refused.value)


@pytest.mark.parametrize("target", ["monai.networks.nets.ViT", "monai.bundle.run", "nets.UNet", ""])
def test_networks_beyond_the_list(bundle, target):
    with pytest.raises(FormatError, match="network_def"):
        open_bundle(bundle(network_def=NETWORK | {"_target_": target}))


def test_references_in_a_circle_and_to_nothing(bundle):
    for loop in ({"a": "@b", "b": "@a"}, {"a": ["@a", "@a"]}, {"a": "@absent"}):
        with pytest.raises(FormatError, match=r"network_def\.channels"):
            open_bundle(bundle(network_def=NETWORK | {"channels": "@a"}, **loop))


def test_references_that_become_many_values(bundle):
    levels = {f"l{i}": [f"@l{i + 1}"] * 10 for i in range(10)} | {"l10": 1}
    with pytest.raises(FormatError, match="values"):
        open_bundle(bundle(network_def=NETWORK | {"channels": "@l0"}, **levels))


def test_networks_far_larger_than_their_weights(bundle):
    for arguments in ({"channels": [10**6, 10**6]}, {"num_res_units": 10**8}):
        with pytest.raises(FormatError, match="far larger than its weights"):
            run(bundle(network_def=NETWORK | arguments))
        assert torch.is_grad_enabled()


def test_spacings_that_would_fill_the_memory(bundle):
    step = {"_target_": "Spacingd", "keys": "image", "pixdim": [1e-6, 1e-6]}
    image = Image(np.ones((20, 20), np.float32), "YX", (1, 1), "mm")
    with pytest.raises(FormatError, match="would make"):
        segment(image, "monai_bundle", bundle=bundle(preprocessing=compose(step)))


class Runs:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_code_among_the_weights(bundle, marker):
    folder = bundle()
    torch.save({"state_dict": {}, "more": Runs(marker)}, folder / "models/model.pt")
    with pytest.raises(FormatError, match="more than tensors"):
        run(folder)


def test_torchscript(bundle):
    folder = bundle()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), folder / "models/model.pt")
    with pytest.raises(FormatError, match="is TorchScript"):
        run(folder)


def test_weights_that_are_none_or_of_another_network(bundle):
    folder = bundle()
    (folder / "models/model.pt").write_bytes(b"none")
    with pytest.raises(FormatError, match="no file of weights"):
        run(folder)
    with pytest.raises(FormatError, match=r"do not fit inference\.json: network_def"):
        run(bundle(network_def=NETWORK | {"channels": [4, 16]}))


@pytest.mark.parametrize("name", ["configs/inference.json", "models/model.pt"])
def test_links_out_of_the_bundle(bundle, tmp_path, name):
    folder = bundle()
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="leads out of its folder"):
        run(folder)


def packed(folder, file, extra, content):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in folder.rglob("*.*"):
            archive.write(each, each.relative_to(folder))
        archive.writestr(extra, content)
    return file


def test_zip_files_that_lead_outside_or_unpack_to_much(bundle, tmp_path, marker):
    slip = packed(bundle(), tmp_path / "slip.zip", f"../{marker.name}", b"here")
    with pytest.raises(FormatError, match="outside of its folder"):
        run(slip)
    bomb = packed(bundle(), tmp_path / "bomb.zip", "models/zeros", bytes(2**27))
    with pytest.raises(FormatError, match="would unpack to"):
        run(bomb)


def test_weights_that_unpack_to_much(bundle):
    file = bundle() / "models/model.pt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", bytes(2**24))
    with pytest.raises(FormatError, match="is compressed"):
        run(file.parent.parent)
