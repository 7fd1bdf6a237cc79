"""Plans as typed values, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from napari_segment.errors import FormatError
from napari_segment.exchange.nnunet.reading.labels import read_labels
from napari_segment.exchange.nnunet.reading.plans import read_plans


@pytest.fixture
def results(made, tmp_path):
    own = made.configuration((8, 16, 16), (2, 1, 1))
    low = {"inherits_from": "3d_fullres", "spacing": [4, 2, 2], "next_stage": "3d_cascade_fullres"}
    cascade = {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"}
    several = {"3d_fullres": own, "3d_lowres": low, "3d_cascade_fullres": cascade}
    return made.Results(tmp_path, several, transpose=(1, 2, 0))


def test_what_is_inherited_and_what_is_read(results):
    plans = read_plans(results.write("3d_fullres"))
    low, cascade = plans.configuration("3d_lowres"), plans.configuration("3d_cascade_fullres")
    assert low.spacing == (4, 2, 2)
    assert low.patch == cascade.patch == (8, 16, 16)
    assert cascade.previous_stage == "3d_lowres"
    assert (plans.inputs(low), plans.inputs(cascade)) == (1, 3)
    assert (plans.transpose_forward, plans.transpose_backward) == ((1, 2, 0), (2, 0, 1))
    assert plans.table.names == {1: "low", 2: "high"}
    assert (low.data.order, low.data.order_z, low.data.separate) == (3, 0, None)
    assert low.probabilities.order == 1
    assert low.architecture.divisors == (1, 2, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(inherits_from="3d_fullres"), "inherits from itself"),
        (lambda c: c.update(normalization_schemes=["Own"]), r"wrong at .schemes\.0"),
        (lambda c: c.update(patch_size=[8, 15, 16]), r"no multiples of the network's strides"),
        (lambda c: c.update(patch_size=[16, 16]), "has other than 2 axes|lacks|patches of 2 axes"),
        (lambda c: c.pop("spacing"), "lacks 'spacing'"),
        (lambda c: c.update(resampling_fn_data="own_function"), "resamples by 'own_function'"),
        (lambda c: c["architecture"].update(network_class_name="os.system"), "network 'system'"),
        (lambda c: c["architecture"]["arch_kwargs"].update(nonlin="x.Own"), "activation 'Own'"),
        (lambda c: c["architecture"]["arch_kwargs"].update(norm_op="x.G"), "normalisation 'G'"),
        (
            lambda c: c["architecture"]["arch_kwargs"].update(n_stages=3),
            "3 stages, but the features of 2",
        ),
        (lambda c: c["architecture"]["arch_kwargs"].update(features_per_stage=[10**9] * 2), "4096"),
    ],
)
def test_wrong_configurations_are_refused_with_the_name(results, change, message):
    change(results.configurations["3d_fullres"])
    plans = read_plans(results.write("3d_fullres"))
    with pytest.raises(FormatError, match=message):
        plans.configuration("3d_fullres")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.dataset.pop("labels"), "lack 'labels'"),
        (lambda r: r.plans.update(transpose_forward=[0, 0, 1]), "no permutation"),
        (lambda r: r.plans.update(image_reader_writer="Own"), "wrong at 'reader'"),
        (lambda r: r.dataset.update(labels={"a": 1}), "no label 'background'"),
        (lambda r: r.dataset.update(channel_names={"1": "a"}), "lack '0'"),
    ],
)
def test_wrong_files_are_refused(results, change, message):
    change(results)
    with pytest.raises(FormatError, match=message):
        read_plans(results.write("3d_fullres"))


def test_labels():
    labels = {"background": 0, "a": 1, "b": [2], "ignore": 3}
    table = read_labels(labels, None, "dataset.json")
    assert (table.numbers, table.outputs, table.names) == ((0, 1, 2), 3, {1: "a", 2: "b"})
    regions = read_labels({"background": 0, "all": [1, 2], "core": 2}, [1, 2], "dataset.json")
    assert (regions.outputs, regions.regions, regions.names) == (2, (1, 2), {1: "all", 2: "core"})
    with pytest.raises(FormatError, match="without gaps"):
        read_labels({"background": 0, "a": 2}, None, "x")
    with pytest.raises(FormatError, match="'regions_class_order' is None"):
        read_labels({"background": 0, "all": [1, 2], "core": 2}, None, "x")
