"""Cases made ready: in memory, or streamed into files where they do not fit."""

import dask.array as da
import numpy as np
import pytest

from napari_segment.deep.data.cases import Cases
from napari_segment.deep.data.memmap_cache import MemmapCache
from napari_segment.deep.data.samples import Samples, in_32_bits
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.slabs import slabs
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.step import run

PLAN = Plan(
    holds="classes", ndim=3, channels=("a",), values=(0, 3, 7), normalisation=(Normalisation(),),
    patch=(8, 8, 8), batch=1, steps=1,
)  # fmt: skip

BUDGET = 10**9


def stack(shape=(24, 20, 22)):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 20, shape).astype(np.float32)
    labels = rng.choice(np.array([0, 3, 7], np.uint8), shape)
    return image, labels


def samples_of(image, labels, budget, cache=None, plan=PLAN, spacing=(2.0, 1.0, 1.0)):
    pairs = Pairs.of([(Image(image, "ZYX", spacing, "um", name="a"), Labels(labels))])
    cases = Cases(pairs, budget=budget)
    run(cases.measure())
    return Samples(cases, plan, budget, cache), cases.items[0]


@pytest.mark.parametrize("spacing", [(), (1.0, 1.5, 0.8)])
def test_a_case_larger_than_memory_is_streamed_into_files(tmp_path, monkeypatch, spacing):
    from napari_segment.deep.data import samples as module

    plan = PLAN.model_copy(update={"spacing": spacing})
    image, labels = stack()
    expected = samples_of(image, labels, BUDGET, plan=plan)
    known = expected[0](expected[1])
    lazy = da.from_array(image, chunks=(4, -1, -1)), da.from_array(labels, chunks=(5, 9, -1))
    monkeypatch.setattr(module, "slabs", lambda shape: slabs(shape, 5 * shape[1] * shape[2]))
    made, item = samples_of(*lazy, 1000, MemmapCache(tmp_path / "cache"), plan=plan)
    sizes, compute = [], da.Array.compute

    def watched(self, **settings):
        sizes.append(self.size)
        return compute(self, **settings)

    monkeypatch.setattr(da.Array, "compute", watched)
    sample = made(item)
    # An image of less than a million voxels is measured whole; after that rows are read.
    assert sizes[0] == image.size
    assert max(sizes[1:]) < image.size / 2
    assert isinstance(sample.image, np.memmap)
    np.testing.assert_allclose(sample.image, known.image, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(sample.target, known.target)
    assert sample.target.dtype == known.target.dtype
    assert made(item) is sample
    assert {k: len(v) for k, v in sample.centres.items()} == {1: 512, 2: 512}


def test_what_is_measured_on_a_lazy_case_is_what_is_measured_in_memory():
    image, labels = stack()
    lazy = da.from_array(image, chunks=(5, 7, 22)), da.from_array(labels, chunks=(24, 5, 5))
    (_, whole), (_, parts) = samples_of(image, labels, BUDGET), samples_of(*lazy, 1000)
    assert parts.counts == whole.counts
    np.testing.assert_array_equal(parts.foreground, whole.foreground)
    np.testing.assert_array_equal(parts.quantiles, whole.quantiles)


def test_what_no_longer_fits_goes_into_files(tmp_path):
    image, labels = stack((8, 9, 10))
    cache = MemmapCache(tmp_path / "cache")
    pairs = [(Image(image + i, "ZYX", name=str(i)), Labels(labels)) for i in range(3)]
    cases = Cases(Pairs.of(pairs), budget=BUDGET)
    run(cases.measure())
    samples = Samples(cases, PLAN, image.size * 8 * 2, cache)
    prepared = [samples(item) for item in cases.items]
    assert [isinstance(s.image, np.memmap) for s in prepared] == [False, False, True]
    np.testing.assert_allclose(prepared[2].image, prepared[0].image, atol=1e-4)
    cache.clear()
    assert not (tmp_path / "cache").exists()


def test_maps_are_drawn_once_for_each_case_with_its_spacing():
    calls = []

    def maps(target, spacing):
        calls.append((target.shape, spacing))
        return target.astype(np.float32)

    plan = PLAN.model_copy(update={"spacing": (2.0, 1.0, 1.0)})
    samples, item = samples_of(*stack(), BUDGET, plan=plan)
    samples.maps = maps
    first = samples.maps_of(item)
    assert samples.maps_of(item) is first
    assert calls == [((3, 24, 20, 22), (2.0, 1.0, 1.0))]
    assert (first.sum(0) == 1).all()


@pytest.mark.parametrize("first", [5, 2**31, 2**40, 2**62])
def test_large_object_numbers_stay_apart(first):
    labels = np.array([[0, first, first, first + 1, -1]], np.int64)
    counts = {-1: 1, 0: 1, first: 2, first + 1: 1}
    numbers = in_32_bits(labels, counts)
    assert len(np.unique(numbers[0, 1:4])) == 2
    assert (numbers[0, 1:4] > 0).all()
    assert numbers[0, 0] == 0
    assert numbers[0, 1] == (first if first < 2**31 else 1)
    part = in_32_bits(labels[:, 3:], counts)  # slabs are numbered alike
    assert part[0, 0] == numbers[0, 3]
