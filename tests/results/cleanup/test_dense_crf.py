"""The dense CRF agrees with the sum over all pairs of voxels."""

import numpy as np
import pytest

from napari_segment import Image, segment
from napari_segment.errors import InputError
from napari_segment.registry import Result, load_plugins, methods
from napari_segment.results.cleanup.dense_crf import dense_crf, mean_field

RNG = np.random.default_rng


def exact(features):
    """A Gaussian filter by the sum over all pairs."""
    far = ((features[:, None] - features[None]) ** 2).sum(-1)
    kernel = np.exp(-far / 2).astype(np.float32)
    return lambda values: kernel @ values


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_the_lattice_filters_as_a_gaussian(dimension):
    from napari_segment.results.cleanup.lattice_kernels import Lattice

    rng = RNG(0)
    features = rng.normal(size=(400, dimension)) * 1.5
    values = rng.random((400, 2)).astype(np.float32)
    actual, wanted = Lattice(features).filter(values), exact(features)(values)
    factor = (actual * wanted).sum() / (actual * actual).sum()
    tolerance = 0.12 if dimension < 5 else 0.25  # few points in many dimensions: gaps
    assert np.linalg.norm(factor * actual - wanted) < tolerance * np.linalg.norm(wanted)


def test_mean_field_agrees_with_the_sum_over_all_pairs():
    from napari_segment.results.cleanup.lattice_kernels import Lattice

    rng = RNG(1)
    image = np.zeros((16, 18), np.float32)
    image[4:12, 5:14] = 1
    positions = np.indices(image.shape).reshape(2, -1).T / 4
    looks = (image + rng.normal(scale=0.15, size=image.shape)).reshape(-1, 1) / 0.3
    features = np.concatenate([positions, looks], 1)
    noisy = np.clip(image.ravel() * 0.3 + 0.35 + rng.normal(scale=0.2, size=image.size), 0.05, 0.95)
    known = np.stack([1 - noisy, noisy], 1).astype(np.float32)
    actual = mean_field(known, [(3.0, Lattice(features).filter)], 5)
    wanted = mean_field(known, [(3.0, exact(features))], 5)
    assert (actual.argmax(1) == wanted.argmax(1)).mean() > 0.99
    assert np.abs(actual - wanted).max() < 0.1
    assert (wanted.argmax(1) == image.ravel()).mean() > (known.argmax(1) == image.ravel()).mean()


@pytest.mark.parametrize("shape", [(40, 44), (12, 24, 26)])
def test_borders_go_to_the_edges_of_the_image(shape):
    truth = np.zeros(shape, np.uint8)
    truth[tuple(slice(n // 4, n - n // 4) for n in shape)] = 2
    image = truth * 50.0 + RNG(0).normal(scale=8, size=shape)
    shifted = np.roll(truth, 2, -1)
    cleaned = dense_crf(shifted, image, None, (1.0,) * len(shape), "classes")
    assert cleaned.dtype == shifted.dtype
    assert set(np.unique(cleaned)) <= {0, 2}
    assert (cleaned != truth).mean() < 0.2 * (shifted != truth).mean()


def test_probabilities_say_where_labels_are_unsure():
    truth = np.zeros((30, 30), bool)
    truth[:, 15:] = True
    image = truth * 1.0
    foreground = np.where(truth, 0.9, 0.1)
    foreground[:, 13:15] = 0.6  # on the wrong side, but unsure of it
    for maps in (foreground[None], np.stack([1 - foreground, foreground])):
        cleaned = dense_crf(foreground > 0.5, image, maps, (), "mask")
        assert cleaned.dtype == bool
        assert (cleaned == truth).all()


def test_channels_and_spacing():
    truth = np.zeros((8, 20, 20), bool)
    truth[:, :, 10:] = True
    image = np.stack([RNG(0).random(truth.shape), truth + 0.0])
    labels = np.roll(truth, 1, 2)
    assert (dense_crf(labels, image, None, (4.0, 1.0, 1.0), "mask") == truth).mean() > 0.99


def test_one_value_stays_as_it_is():
    labels = np.zeros((5, 6), np.uint8)
    assert dense_crf(labels, np.ones((5, 6))) is labels
    assert not dense_crf(np.zeros((4, 4), bool), np.full((4, 4), np.nan)).any()


def test_what_cannot_be_is_refused():
    labels = np.eye(6, dtype=np.uint8)
    with pytest.raises(InputError, match="objects"):
        dense_crf(labels, np.ones((6, 6)), holds="objects")
    with pytest.raises(InputError, match="shape"):
        dense_crf(labels, np.ones((6, 6)), np.ones((3, 6, 6)))


def test_a_class_may_be_absent_from_the_labels():
    truth = np.zeros((30, 30), np.uint8)
    truth[:, 15:] = 9
    maps = np.stack([truth == 0, np.zeros_like(truth), truth == 9]) * 0.9 + 0.03
    maps[:, :, 13:15] = np.array([0.3, 0.0, 0.7])[:, None, None]
    labels = np.array([0, 4, 9], np.uint8)[maps.argmax(0)]
    assert 4 not in labels
    cleaned = dense_crf(labels, truth / 9, maps, (), "classes", (0, 4, 9))
    assert (cleaned == truth).all()
    with pytest.raises(InputError, match="one map for each class"):
        dense_crf(labels, truth / 9, maps, (), "classes", (0, 9))


def test_missing_probabilities_are_explained():
    labels = np.eye(4, dtype=bool)
    with pytest.raises(InputError, match=r"maps=\['probabilities'\]"):
        dense_crf(labels, labels * 1.0, unary="probabilities")


@pytest.fixture
def giving():
    """A method that is unsure where two columns of the wrong side lie."""
    load_plugins()
    before = methods.snapshot()

    @methods.add("giving", title="Giving", gives="mask")
    def giving(image):
        """Give probabilities too."""
        actual = np.where(image > 0.5, 0.9, 0.1)
        actual[..., 13:15] = 0.6
        return Result(actual > 0.5, "mask", values=(0, 1), maps={"probabilities": actual})

    yield
    methods.restore(before)


@pytest.mark.parametrize("shape", [(30, 30), (6, 30, 30), (2, 3, 20, 30)])
def test_a_recipe_hands_the_probabilities_on(giving, shape):
    image = Image(np.zeros(shape), "TZYX"[-len(shape) :])
    image.data[..., 15:] = 1
    cleaned = segment(image, "giving", cleanups=["dense_crf"])
    assert np.array_equal(cleaned.data, image.data)
    from_labels = (
        "dense_crf",
        {"unary": "labels", "appearance_weight": 0.1, "smoothness_weight": 0.1},
    )
    assert segment(image, "giving", cleanups=[from_labels]).data.sum() > image.data.sum()
    with pytest.raises(InputError, match="the method gave none"):
        segment(image, "otsu", cleanups=[("dense_crf", {"unary": "probabilities"})])


@pytest.mark.parametrize(("image", "given"), [(None, "none"), (np.zeros((3, 5)), r"\(3, 5\)")])
def test_an_image_is_asked_for(image, given):
    with pytest.raises(InputError, match=rf"image that the labels of shape \(4, 5\).*{given}"):
        dense_crf(np.ones((4, 5), bool), image)
