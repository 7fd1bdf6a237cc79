"""Prediction with checkpoints: spacing, channels, ensembles, regions, maps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from shared.checkpoints import label, made

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.resample import Neighbours, resample
from napari_segment.deep.inference.prediction import Options, predict_with
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import methods
from napari_segment.step import run


def test_the_method_says_what_its_labels_hold(tmp_path, image):
    made(tmp_path / "a")
    result = run(methods["network"](image[0], (1.0, 1.0, 1.0), checkpoint=tmp_path / "a"))
    assert result.holds == "classes"
    assert result.names == {1: "one", 2: "two"}
    assert result.array.shape == image.shape[1:]
    assert set(np.unique(result.array)) <= {0, 1, 2}


def test_a_2d_network_finds_objects_in_planes_or_in_the_volume(tmp_path, monkeypatch):
    """Two balls, one above the other: cut in planes they are many objects, in the volume two."""
    from napari_segment.deep.inference import prediction as module

    z, y, x = np.ogrid[:30, :24, :24]
    inside = np.minimum((z - 7) ** 2, (z - 21) ** 2) + (y - 12) ** 2 + (x - 12) ** 2
    heart = np.clip(1 - inside / 36, 0, 1)
    maps = {"probabilities": np.stack([inside < 36, heart]).astype(np.float32)}

    def predicted(*_):
        yield from ()
        return maps

    monkeypatch.setattr(module, "predict_several", predicted)
    objects = Objects(target="distance", foreground=0.5, seed=0.5, smooth=0.0)
    made(
        tmp_path / "a", ndim=2, channels_out=2, activation="sigmoid", holds="objects", values=(),
        names={}, objects=objects, patch=(16, 16),
    )  # fmt: skip
    settings = {"checkpoint": tmp_path / "a"}
    stack = np.zeros((30, 24, 24), np.float32)
    planes = run(methods["network"](stack, (1.0, 1.0, 1.0), **settings)).array
    volume = run(methods["network"](stack, (1.0, 1.0, 1.0), stack="volume", **settings)).array
    assert volume.max() == 2
    assert len(np.unique(volume[:14])) == len(np.unique(volume[15:])) == 2
    shown = (planes > 0).any((1, 2)).sum()
    assert planes.max() == shown > 10  # one in each plane that has a heart


def test_a_2d_flow_does_not_lead_through_volumes(tmp_path):
    made(
        tmp_path / "a", ndim=2, channels_out=3, activation="sigmoid", holds="objects", values=(),
        names={}, objects=Objects(target="flow"), patch=(16, 16),
    )  # fmt: skip
    stack = np.zeros((8, 16, 16), np.float32)
    with pytest.raises(SettingError, match="link_planes"):
        run(methods["network"](stack, (1.0, 1.0, 1.0), checkpoint=tmp_path / "a", stack="volume"))


def test_a_mask_is_boolean(tmp_path, image):
    made(tmp_path / "a", channels_out=1, activation="sigmoid", holds="mask", values=(0, 7))
    result = run(methods["network"](image[0], (1.0, 1.0, 1.0), checkpoint=tmp_path / "a"))
    assert result.array.dtype == bool


def test_segment_takes_a_network(tmp_path, image):
    from napari_segment import segment

    made(tmp_path / "a", values=(0, 5, 9), names={5: "five"})
    labels = segment(image[0], "network", checkpoint=tmp_path / "a")
    assert labels.holds == "classes"
    assert set(np.unique(labels.data)) <= {0, 5, 9}


def test_the_first_step_tells_the_memory(tmp_path, image):
    first = next(predict_with([made(tmp_path / "a")], image))
    assert "tiles, about" in first.message


def test_dask_gives_what_numpy_gives(tmp_path, image):
    import dask.array as da

    checkpoint = made(tmp_path / "a", normalisation=(Normalisation(),))
    want = label(checkpoint, image)
    assert np.array_equal(label(checkpoint, da.from_array(image, chunks=(1, 3, 34, 17))), want)


def test_wrong_channels_and_planes_are_explained(tmp_path, image):
    checkpoint = made(tmp_path / "a", channels=("red", "green"))
    with pytest.raises(InputError, match="trained on 2 channel"):
        label(checkpoint, image)
    with pytest.raises(InputError, match="trained on volumes"):
        label(checkpoint, np.zeros((2, 5, 5)))


def test_a_2d_network_goes_plane_by_plane(tmp_path, image):
    checkpoint = made(tmp_path / "a", ndim=2, patch=(16, 16))
    stack = label(checkpoint, image)
    plane = label(checkpoint, image[:, 7])
    assert np.array_equal(stack[7], plane)


def test_neighbours_are_channels(tmp_path, image):
    view = Neighbours(image, 3)
    assert view.shape == (3, 20, 34, 40)
    block = view[(slice(None), slice(0, 2))]
    assert np.array_equal(block[:, 0], image[0, [0, 0, 1]])
    assert np.array_equal(block[:, 1], image[0, [0, 1, 2]])
    checkpoint = made(tmp_path / "a", ndim=2, patch=(16, 16), slices=3)
    assert label(checkpoint, image).shape == image.shape[1:]


def test_ensembles_and_what_they_disagree_on(tmp_path, image):
    one, two = made(tmp_path / "a"), made(tmp_path / "bcd")
    options = Options(test_time_augmentation=True)
    mean = run(predict_with([one, two], image, (), options, "probabilities"))
    assert mean.shape == (3, *image.shape[1:])
    doubt = run(predict_with([one, two], image, (), options, "disagreement"))
    assert 0 <= doubt.min() <= doubt.max() <= 1
    with pytest.raises(SettingError, match="at least two"):
        label(one, image, output="disagreement")
    with pytest.raises(InputError, match="same task"):
        run(predict_with([one, made(tmp_path / "x", channels_out=2, values=(0, 1))], image))


def test_outside_the_region_is_background(tmp_path, image):
    checkpoint = made(tmp_path / "a", values=(4, 5, 6))
    got = label(checkpoint, image, region=(2, 9, 10, 30, 0, 40))
    inside = got[2:9, 10:30]
    assert (inside >= 4).all()
    assert (got == 0).sum() == got.size - inside.size
    with pytest.raises(SettingError, match="does not fit"):
        label(checkpoint, image, region=(0, 99, 0, 3, 0, 3))


def test_labels_do_not_depend_on_what_else_is_wanted(tmp_path, image):
    made(tmp_path / "a", values=(0, 5, 9), names={5: "five"})
    made(tmp_path / "bcd", values=(0, 5, 9), names={5: "five"})
    settings = {"checkpoint": tmp_path / "a", "ensemble": (tmp_path / "bcd",)}
    alone = run(methods["network"](image, (1.0,) * 3, **settings))
    also = ("probabilities", "entropy", "disagreement")
    result = run(methods["network"](image, (1.0,) * 3, **settings, maps=also))
    assert np.array_equal(result.array, alone.array)
    assert alone.maps == {}
    assert result.values == (0, 5, 9)
    assert result.channels == ("background", "five", "class 9")
    probabilities = result.maps["probabilities"]
    assert probabilities.shape == (3, *image.shape[1:])
    assert np.array_equal(np.array(result.values)[probabilities.argmax(0)], result.array)
    checkpoints = [Checkpoint.load(tmp_path / name) for name in ("a", "bcd")]
    for name in also[1:]:
        want = run(predict_with(checkpoints, image, output=name))
        assert want.dtype == np.float32
        np.testing.assert_allclose(result.maps[name], want, atol=1e-6)


def test_disagreement_is_mutual_information(tmp_path, image):
    checkpoints = [
        made(tmp_path / "a", patch=(20, 34, 40)),
        made(tmp_path / "bcd", patch=(20, 34, 40)),
    ]
    each = [label(c, image, output="probabilities") for c in checkpoints]
    entropy = [-(p * np.log(p)).sum(0) / np.log(3) for p in (sum(each) / 2, *each)]
    want = entropy[0] - (entropy[1] + entropy[2]) / 2
    got = run(predict_with(checkpoints, image, output="disagreement"))
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_the_probability_of_a_mask_has_no_channels(tmp_path, image):
    from napari_segment import segment

    made(tmp_path / "a", channels_out=1, activation="sigmoid", holds="mask", values=(0, 7))
    labels = segment(image[0], "network", checkpoint=tmp_path / "a", maps=["probabilities"])
    probability = labels.maps["probabilities"]
    assert probability.axes == "ZYX"
    assert np.array_equal(np.asarray(probability) > 0.5, np.asarray(labels) > 0)


def test_a_skipped_resampling_is_said_once(tmp_path, image):
    made(tmp_path / "a", spacing=(2.0, 1.0, 1.0), unit="micrometer")
    settings = {"checkpoint": tmp_path / "a"}
    with pytest.warns(UserWarning, match="spacing is in pixel, that of the network"):
        first = next(methods["network"](image, (1.0,) * 3, "pixel", **settings))
    assert "not resampled" in first.message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            "not resampled"
            in next(methods["network"](image, (1.0,) * 3, "pixel", **settings)).message
        )
        assert "tiles" in next(methods["network"](image, (1.0,) * 3, "um", **settings)).message


def test_an_image_unlike_those_of_the_training_is_said(tmp_path, image):
    from napari_segment import segment

    made(tmp_path / "a", intensities=((-1000.0, 1000.0),))
    with pytest.warns(UserWarning, match="those of the training images were -1000 to 1000"):
        labels = segment(image[0], "network", checkpoint=tmp_path / "a")
    assert labels.shape == image[0].shape


@pytest.mark.parametrize("known", [(2.0, 0.5, 0.5), (0.5, 0.5)])
def test_a_network_of_planes_over_a_stack_with_spacing(tmp_path, known):
    """Trained on stacks its spacing has three numbers, trained on planes two."""
    checkpoint = made(tmp_path / "a", ndim=2, patch=(16, 16), spacing=known, unit="micrometer")
    stack = np.random.default_rng(0).normal(size=(1, 6, 20, 24)).astype(np.float32)
    assert label(checkpoint, stack, (2.0, 0.5, 0.5)).shape == (6, 20, 24)
    finer = label(checkpoint, stack, (2.0, 0.25, 0.25))
    assert finer.shape == (6, 20, 24)
    coarse = resample(stack, (6, 10, 12))
    expected = label(checkpoint, coarse, (2.0, 0.5, 0.5), output="probabilities")
    back = resample(np.asarray(expected), (6, 20, 24)).argmax(0)
    assert (back == finer).mean() > 0.95  # probabilities of noise, interpolated
