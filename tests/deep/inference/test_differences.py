"""What is said of an image that is not like those of the training."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.inference.differences import differences, order_of_channels
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.recipe import Spec


def trained(scheme="fixed", **changes):
    """A network trained on CT from -1024 to 1500, of 2 × 1 × 1 mm."""
    fields = {
        "ndim": 3, "channels": ("CT",), "channels_out": 2, "activation": "softmax",
        "holds": "classes", "values": (0, 1), "patch": (8, 8, 8), "spacing": (2.0, 1.0, 1.0),
        "unit": "millimeter", "intensities": ((-1024, 1500),), **changes,
    }  # fmt: skip
    normalisation = (Normalisation(scheme=scheme),) * len(fields["channels"])
    return Checkpoint(folder=Path(), model=Spec(name="unet"), normalisation=normalisation, **fields)


def ct(low, high, shape=(12, 40, 40)):
    return np.random.default_rng(0).uniform(low, high, (1, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 2524), (0, 1), (-1, 1), (0, 65535), (-4000, 1500), (5000, 7524)],
)  # shifted, scaled to 0 … 1, to -1 … 1, to 16 bits, other padding, far away
@pytest.mark.parametrize("lazy", [False, True])
def test_another_scale_is_said(low, high, lazy):
    image = da.from_array(ct(low, high)) if lazy else ct(low, high)
    (said,) = differences(trained(), image, (2.0, 1.0, 1.0))
    assert "those of the training images were -1024 to 1500" in said


@pytest.mark.parametrize(
    ("low", "high"), [(-1024, 1500), (-1024, 400), (-600, 300), (-1100, 3000), (-2000, 1500)]
)
def test_ranges_of_the_same_scale_are_not(low, high):
    assert not [*differences(trained(), ct(low, high), ())]


@pytest.mark.parametrize("scheme", ["zscore", "percentile"])
def test_images_normalised_by_themselves_may_have_any_range(scheme):
    assert not [*differences(trained(scheme), ct(0, 65535), ())]


def test_the_channel_is_named():
    checkpoint = trained(channels=("CT", "PET"), intensities=((-1024, 1500), (0, 10)))
    image = np.concatenate([ct(-1024, 1500), ct(0, 5000)])
    (said,) = differences(checkpoint, image, ())
    assert "of channel 'PET'" in said


@pytest.mark.parametrize(
    ("spacing", "most", "least"),
    [((2000, 1000, 1000), "1e+03", "1e+03"), ((0.2, 0.1, 0.1), "0.1", "0.1"),
     ((2, 1, 9), "9", "1")],
)  # fmt: skip
def test_a_spacing_far_from_that_of_the_training_is_said(spacing, most, least):
    (said,) = differences(trained(), ct(-1024, 1500), spacing)
    assert f"a factor of {most} (at most) and {least} (at least)" in said


@pytest.mark.parametrize("spacing", [(2, 1, 1), (5, 0.5, 0.5), ()])
def test_a_usual_spacing_is_not(spacing):
    assert not [*differences(trained(), ct(-1024, 1500), spacing)]


def test_planes_are_compared_with_the_planes_of_stacks():
    checkpoint = trained(ndim=2, patch=(8, 8))
    assert not [*differences(checkpoint, ct(-1024, 1500, (40, 40)), (1, 1))]
    (said,) = differences(checkpoint, ct(-1024, 1500, (40, 40)), (8, 8))
    assert "8×8" in said


def test_former_networks_say_nothing_of_intensities():
    assert not [*differences(trained(intensities=()), ct(0, 65535), ())]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("PET", "CT"), True), ((" pet", "ct"), True), (("CT", "PET"), False),
        (("ct", "pet"), False),
        ((), False), (("DAPI", "GFP"), False), (("PET",), False),
    ],
)  # fmt: skip
def test_channels_in_another_order_are_said(names, said):
    checkpoint = trained(channels=("CT", "PET"), intensities=())
    assert bool([*order_of_channels(checkpoint, names)]) is said
