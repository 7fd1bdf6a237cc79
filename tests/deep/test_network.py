"""A network sees images in the orientation of its training, however they are stored."""

from itertools import permutations, product

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.network import _in_unit
from napari_segment.image import Image, Labels, orientation_of, reoriented
from napari_segment.step import run

CODES = [
    "".join(pair[i] for pair, i in zip(order, ends, strict=True))
    for order in permutations(("SI", "AP", "RL"))
    for ends in product((0, 1), repeat=3)
]


def case(seed):
    """Two bright boxes; only the one that lies higher up (superior) is marked."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 16, 12), np.uint8)
    pixels = rng.normal(100, 10, labels.shape)
    y, x = rng.integers(2, 8), rng.integers(2, 5)
    pixels[2:6, y : y + 6, x : x + 5] += 100
    pixels[12:17, y : y + 6, x : x + 5] += 100
    labels[12:17, y : y + 6, x : x + 5] = 1
    affine = np.diag([2.0, 1.5, 1, 1])
    world = {"affine": affine, "unit": "millimeter"}
    return Image(pixels, "ZYX", **world), Labels(labels, "ZYX", holds="classes", **world)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orientation") / "run"
    pairs = [case(seed) for seed in range(4)]
    pairs[1] = tuple(reoriented(stack, "ILP") for stack in pairs[1])  # stored otherwise
    return run(
        ns.train(
            pairs, out=folder, model=("unet", {"features": (4, 8)}), epochs=2, steps=8,
            batch=2, device="cpu", log=[],
        )
    )  # fmt: skip


def test_the_checkpoint_knows_its_orientation(trained):
    assert trained.orientation == "SAR"
    assert Checkpoint.load(trained.folder).orientation == "SAR"
    assert trained.spacing == pytest.approx((2.0, 1.5, 1))


@pytest.mark.parametrize("code", CODES)
def test_the_labels_are_the_same_in_each_of_48_orientations(trained, code):
    image, _ = case(9)
    settings = {"checkpoint": trained.folder, "device": "cpu", "maps": ("probabilities",)}
    straight = ns.segment(image, "network", **settings)
    turned = reoriented(image, code)
    labels = ns.segment(turned, "network", **settings)
    assert labels.shape == turned.shape
    assert orientation_of(labels) == code
    np.testing.assert_array_equal(reoriented(labels, "SAR").data, straight.data)
    np.testing.assert_allclose(
        reoriented(labels.maps["probabilities"], "SAR").data,
        straight.maps["probabilities"].data, atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("code", ["IPL", "RSA"])
def test_a_region_is_meant_in_the_image_as_it_is_stored(trained, code):
    image, _ = case(9)
    turned = reoriented(image, code)
    region = (1, 9, 2, 10, 3, 11)
    labels = ns.segment(turned, "network", checkpoint=trained.folder, region=region, device="cpu")
    outside = np.ones(turned.shape, bool)
    outside[1:9, 2:10, 3:11] = False
    assert not labels.data[outside].any()


def test_an_image_without_orientation_is_taken_as_it_is(trained):
    image, _ = case(9)
    plain = Image(image.data, "ZYX", spacing=image.spacing, unit="millimeter")
    settings = {"checkpoint": trained.folder, "device": "cpu"}
    np.testing.assert_array_equal(
        ns.segment(plain, "network", **settings).data, ns.segment(image, "network", **settings).data
    )


@pytest.mark.parametrize(
    ("unit", "wanted", "expected"),
    [
        ("micrometer", "micrometer", (2.0, 0.5)),
        ("", "mm", (2.0, 0.5)),
        ("um", "millimeter", (0.002, 0.0005)),
        ("mm", "micrometer", (2000.0, 500.0)),
        ("pixel", "micrometer", ()),
        ("micrometer", "pixel", ()),
        ("parsec", "mm", ()),
    ],
)
def test_spacing_in_the_networks_unit(unit, wanted, expected):
    assert _in_unit((2.0, 0.5), unit, wanted) == pytest.approx(expected)
