"""Publishing: packages that the zoo's own tools accept and run, and that are read again."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from napari_segment import api, samples
from napari_segment.cli import main
from napari_segment.deep.card import CARD, Measured, ModelCard
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import InputError, SettingError
from napari_segment.exchange.bioimageio import open_package
from napari_segment.exchange.bioimageio.publish import preprocessing
from napari_segment.recipe import Spec

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

MODEL = Spec(name="textbook_unet", settings={"features": 4, "levels": 3, "norm": "instance"})
SCHEMES = {
    "zscore": Normalisation(scheme="zscore"),
    "percentile": Normalisation(scheme="percentile", percentiles=(1, 99)),
    "fixed": Normalisation(scheme="fixed", clip=(-50, 200), shift=20, scale=40),
    "none": Normalisation(scheme="none"),
}
# Another Python, whose bioimageio.core works: its releases follow those of pydantic late.
ORACLE = os.environ.get("NAPARI_SEGMENT_BIOIMAGEIO_PYTHON", "")
ORACLE_SCRIPT = """
import json, sys
from bioimageio.core import test_model
from bioimageio.spec import load_description, ValidationContext
found = load_description(sys.argv[1], format_version="latest")
summary = found.validation_summary
run = test_model(sys.argv[1], weight_format="onnx")
problems = [[list(map(str, e.loc)), e.msg] for d in summary.details for e in d.errors]
warnings = [[list(map(str, w.loc)), w.msg] for d in summary.details for w in d.warnings]
failed = [[d.name, [e.msg for e in d.errors]] for d in run.details if d.status == "failed"]
print(json.dumps({"problems": problems, "warnings": warnings, "failed": failed}))
"""


def checkpoint(folder, ndim=2, scheme="zscore", **settings):
    from napari_segment.deep.nn.models import build

    given = {
        "channels_out": 3, "activation": "softmax", "holds": "classes", "values": (0, 2, 5),
        "names": {2: "cell", 5: "edge"}, **settings,
    }  # fmt: skip
    made = Checkpoint(
        folder=folder, model=MODEL, ndim=ndim, channels=("dna",), patch=(32,) * ndim,
        normalisation=(SCHEMES[scheme],), intensities=((0.0, 300.0),), **given,
    )  # fmt: skip
    import torch

    torch.manual_seed(0)
    made.save(build(MODEL, 1, made.channels_out, ndim).state_dict())
    ModelCard(
        title="Made-up cells", segments="cells that were made up", network="textbook_unet",
        authors="Jane Doe", licence="CC-BY-4.0",
        scores=(Measured(on="3 cases of the test", values={"dice": 0.5}),),
    ).save(folder)  # fmt: skip
    return made


def image(ndim=2, seed=0):
    data = np.random.default_rng(seed).normal(100, 60, (40, 72, 60)[-ndim:])
    return api.as_image(data.astype(np.float32), "ZYX"[-ndim:])


def same(labels, expected):
    """Networks with random weights have equal probabilities here and there."""
    return np.mean(np.asarray(labels) == np.asarray(expected)) > 0.999


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_package_read_again_gives_the_labels_of_the_checkpoint(tmp_path, ndim, scheme):
    made = checkpoint(tmp_path / "run", ndim, scheme)
    package = api.export(made.folder, tmp_path / "package.zip")
    expected = api.segment(image(ndim), "network", checkpoint=made.folder, device="cpu")
    labels = api.segment(image(ndim), "bioimageio", package=package)
    assert same(labels, expected)
    assert len(np.unique(expected)) > 1
    assert (labels.holds, labels.names) == ("classes", {2: "cell", 5: "edge"})


def test_objects_are_decoded_as_they_were_trained(tmp_path):
    made = checkpoint(
        tmp_path / "run", channels_out=2, activation="sigmoid", holds="objects", values=(),
        names={}, objects=Objects(target="seeds", seed=0.5, foreground=0.45, size=4),
    )  # fmt: skip
    package = api.export(made.folder, tmp_path / "package.zip", format="bioimageio")
    picture, _ = samples.nuclei((70, 50), seed=1)
    expected = api.segment(picture, "network", checkpoint=made.folder, device="cpu")
    labels = api.segment(picture, "bioimageio", package=package)
    assert labels.holds == "objects"
    assert same(labels, expected)


def test_an_image_of_another_spacing_is_refused(tmp_path):
    made = checkpoint(tmp_path / "run", spacing=(0.5, 0.5), unit="micrometer")
    package = api.export(made.folder, tmp_path / "package.zip")
    there = image().replace(spacing=(0.5, 0.5), unit="micrometer")
    expected = api.segment(there, "network", checkpoint=made.folder, device="cpu")
    assert same(api.segment(there, "bioimageio", package=package), expected)
    with pytest.raises(InputError, match=r"expects a spacing of \(0.5, 0.5\) micrometer"):
        api.segment(there.replace(spacing=(1, 1)), "bioimageio", package=package)


def test_the_package_holds_what_the_card_says(tmp_path):
    made = checkpoint(tmp_path / "run")
    package = api.export(made.folder, tmp_path / "package.zip", licence="MIT")
    description = open_package(package).description
    assert description["authors"] == [{"name": "Jane Doe"}]
    assert description["license"] == "MIT"
    text = (open_package(package).folder / "README.md").read_text()
    assert "dice 0.500 on 3 cases of the test, which chose nothing" in text
    card = api.model_card(package)
    assert (card.title, card.licence) == ("Made-up cells", "MIT")
    assert api.find_model(package).picture.name == "cover.png"


def test_what_cannot_be_described_is_refused(tmp_path):
    made = checkpoint(tmp_path / "run")
    out = tmp_path / "package.zip"
    with pytest.raises(SettingError, match=r"ends with \.zip"):
        api.export(made.folder, tmp_path / "package.tar", format="bioimageio")
    (made.folder / CARD).unlink()
    with pytest.raises(SettingError, match="--author"):
        api.export(made.folder, out)
    with pytest.raises(SettingError, match="--licence"):
        api.export(made.folder, out, author="Jane Doe")
    assert main(["export", str(made.folder), "-o", str(out)]) == 2
    given = ["--author", "Jane Doe", "--licence", "CC-BY-4.0"]
    assert main(["export", str(made.folder), "-o", str(out), *given]) == 0
    made.model_copy(update={"slices": 3}).save()
    with pytest.raises(SettingError, match="neighbouring planes"):
        api.export(made.folder, out, author="Jane Doe", licence="MIT")


def test_a_maintainer_is_named_where_one_is_given(tmp_path):
    made = checkpoint(tmp_path / "run")
    package = api.export(made.folder, tmp_path / "package.zip", maintainer="jane-doe")
    assert open_package(package).description["maintainers"] == [{"github_user": "jane-doe"}]


def test_normalisations_in_the_terms_of_the_zoo():
    steps = preprocessing([SCHEMES["fixed"]], 2)
    assert [step["id"] for step in steps[1:-1]] == ["clip", "fixed_zero_mean_unit_variance"]
    assert steps[1]["kwargs"] == {"min": -50, "max": 200}
    assert steps[2]["kwargs"] == {"mean": 20, "std": 40}


@pytest.mark.slow
@pytest.mark.skipif(
    not ORACLE and shutil.which("bioimageio") is None,
    reason="bioimageio.core is not installed (set NAPARI_SEGMENT_BIOIMAGEIO_PYTHON to a Python "
    "that has it)",
)
@pytest.mark.parametrize(
    ("ndim", "scheme", "settings"),
    [
        (2, "zscore", {}),
        (2, "percentile", {"spacing": (0.5, 0.5), "unit": "micrometer"}),
        (3, "fixed", {}),
        (2, "none", {"channels_out": 1, "activation": "sigmoid", "holds": "mask",
                     "values": (0, 1), "names": {}}),
    ],
)  # fmt: skip
def test_the_tools_of_the_zoo_accept_and_run_it(tmp_path, ndim, scheme, settings):
    made = checkpoint(tmp_path / "run", ndim, scheme, **settings)
    package = api.export(made.folder, tmp_path / "package.zip")
    script = tmp_path / "oracle.py"
    script.write_text(ORACLE_SCRIPT)
    python = ORACLE or str(Path(shutil.which("bioimageio")).with_name("python"))
    ended = subprocess.run(
        [python, str(script), str(package)], capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    report = json.loads(ended.stdout.splitlines()[-1])
    # Names of maintainers are looked up on GitHub, which tests do not ask.
    report["warnings"] = [w for w in report["warnings"] if "Missing `maintainers`" not in w[1]]
    assert report == {"problems": [], "warnings": [], "failed": []}
