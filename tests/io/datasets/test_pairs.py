import pickle
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest

from napari_segment import io, samples
from napari_segment.errors import FormatError, InputError
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.folders import match_folders
from napari_segment.io.datasets.pairs import Case, Pairs


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def matched(pairs):
    def first(source):
        return [s.name for s in source] if isinstance(source, tuple) else source.name

    return [(c.name, first(c.image), c.labels.name) for c in pairs]


def test_equal_stems_in_natural_order(tmp_path):
    images = touch(tmp_path / "i", "10.tif", "2.tif", "1.nii.gz", "notes.txt", "._2.tif")
    labels = touch(tmp_path / "l", "1.png", "2.ome.tif", "10.nii.gz", "11.png")
    pairs = match_folders(images, labels)
    assert matched(pairs) == [
        ("1", "1.nii.gz", "1.png"), ("2", "2.tif", "2.ome.tif"), ("10", "10.tif", "10.nii.gz"),
    ]  # fmt: skip
    assert pairs.notes == (
        "3 images with labels.",
        "Labels without an image of their name were left out: 11.png.",
    )


def test_files_that_are_left_out_are_named_in_one_sentence(tmp_path):
    images = touch(tmp_path / "i", "a.tif", "b.tif", "c.tif")
    labels = touch(tmp_path / "l", "x.tif", "y.tif")
    assert match_folders(images, labels).notes == (
        "0 images with labels.",
        "Images without labels of their name were left out: a.tif, b.tif, c.tif.",
        "Labels without an image of their name were left out: x.tif, y.tif.",
    )


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.tif", "a_mask.png"), ("a_raw.tif", "a_label.tif"), ("a.tif", "A.TIF"),
        ("img_a.tif", "mask_a.tif"), ("a-image.tif", "a-segmentation.nii.gz"),
        ("a_0000.nii.gz", "a.nii.gz"), ("t_0001.tif", "t_0001_seg.tif"),
        ("a_leftImg8bit.png", "a_gt.png"),
    ],
)  # fmt: skip
def test_suffixes_of_names_are_left_out(tmp_path, image, label):
    pairs = match_folders(touch(tmp_path / "i", image), touch(tmp_path / "l", label))
    assert [(i, lab) for _, i, lab in matched(pairs)] == [(image, label)]


def test_exact_names_go_before_similar_ones(tmp_path):
    images = touch(tmp_path / "i", "a.tif", "a_raw.tif")
    labels = touch(tmp_path / "l", "a.tif", "a_raw.tif")
    assert [(i, lab) for _, i, lab in matched(match_folders(images, labels))] == [
        ("a.tif", "a.tif"), ("a_raw.tif", "a_raw.tif"),
    ]  # fmt: skip


def test_channels_of_one_case(tmp_path):
    names = [
        "case_2_0001.nii.gz",
        "case_2_0000.nii.gz",
        "case_10_0000.nii.gz",
        "case_10_0001.nii.gz",
    ]
    pairs = match_folders(
        touch(tmp_path / "i", *names), touch(tmp_path / "l", "case_2.nii.gz", "case_10.nii.gz")
    )
    assert matched(pairs) == [
        ("case_2", ["case_2_0000.nii.gz", "case_2_0001.nii.gz"], "case_2.nii.gz"),
        ("case_10", ["case_10_0000.nii.gz", "case_10_0001.nii.gz"], "case_10.nii.gz"),
    ]


def test_one_folder_for_both(tmp_path):
    folder = touch(tmp_path, "1_raw.tif", "1_label.tif", "2_raw.tif", "3_label.tif")
    pairs = match_folders(folder, folder)
    assert matched(pairs) == [("1_raw", "1_raw.tif", "1_label.tif")]
    assert len(pairs.notes) == 3


def test_two_images_for_one_case_are_refused(tmp_path):
    images = touch(tmp_path / "i", "a.tif", "a.png")
    with pytest.raises(FormatError, match=r"a\.png and a\.tif in .* both stand for 'a'"):
        match_folders(images, touch(tmp_path / "l", "a.tif"))
    with pytest.raises(FormatError, match="Give two folders, or single files as"):
        match_folders(images, tmp_path / "nowhere")


# ---- reading ----


def test_two_folders_are_read(tmp_path):
    for seed in (2, 10):
        image, labels = samples.cells((4, 20, 30), seed=seed)
        io.write(image, tmp_path / f"images/{seed}.tif")
        io.write(
            labels.replace(spacing=(1, 1, 1), unit="pixel"), tmp_path / f"labels/{seed}.png.tif"
        )
        io.write(labels, tmp_path / f"labels/{seed}.tif")
    pairs = Pairs.of((tmp_path / "images", tmp_path / "labels"))
    assert [c.name for c in pairs] == ["2", "10"]
    for lazy in (False, True):
        image, labels = pairs.read(1, lazy=lazy)
        assert image.is_lazy == labels.is_lazy == lazy
        assert (image.name, labels.spacing, labels.unit) == ("10", image.spacing, "micrometer")
        np.testing.assert_array_equal(
            np.asarray(labels.data), samples.cells((4, 20, 30), seed=10)[1].data
        )
    assert pickle.loads(pickle.dumps(pairs)).read(0)[0].shape == (4, 20, 30)


def test_arrays_images_and_paths(tmp_path):
    image, labels = samples.nuclei((40, 50))
    path = io.write(image, tmp_path / "a.tif")
    pairs = Pairs.of(
        [(image, labels), (image.data, labels.data), (path, labels), (image.data, labels.data)]
    )
    assert [c.name for c in pairs] == ["nuclei", "case 1", "a", "case 3"]
    assert pairs.holds == ""
    for case in pairs:
        np.testing.assert_array_equal(pairs.read(case)[1].data, labels.data)
    assert Pairs.of([(image, labels)]).holds == "objects"
    assert Pairs.of(pairs)[2].name == "a"


def test_a_value_that_means_two_classes():
    image, labels = samples.nuclei((40, 50))
    one = labels.replace(holds="classes", names={1: "nucleus"})
    other = labels.replace(holds="classes", names={1: "cell", 2: "debris"})
    assert Pairs.of([(image, one), (image, one.replace(names={2: "cell"}))]).names == {
        1: "nucleus", 2: "cell",
    }  # fmt: skip
    with pytest.raises(InputError, match=r"pair 1 call the value 1 'cell'.* call it 'nucleus'"):
        Pairs.of([(image, one), (image, other)])


def test_layers_in_any_world():
    def layer(data, **more):
        n = data.ndim
        return SimpleNamespace(
            data=data, scale=np.ones(n) * 2, translate=np.zeros(n), rotate=np.eye(n),
            shear=np.zeros(n * (n - 1) // 2), affine=np.eye(n + 1), name="Layer", **more,
        )  # fmt: skip

    image, labels = samples.nuclei((40, 50))
    pairs = Pairs.of([(layer(image.data), layer(labels.data, selected_label=1))])
    actual = pairs.read(0)
    assert actual[0].spacing == actual[1].spacing == (2, 2)
    assert pairs[0].name == "Layer"
    with pytest.raises(InputError, match="holds labels, but an image is needed"):
        Pairs.of([(layer(labels.data, selected_label=1), labels)])


def test_channels_have_no_labels_of_their_own():
    image, labels = samples.stained_tissue((40, 50))
    actual = Pairs.of([(image, labels)]).read(0)
    assert (actual[0].axes, actual[1].axes) == ("YXC", "YX")
    turned = Pairs.of([(image.transpose("CXY"), labels)]).read(0)
    np.testing.assert_array_equal(turned[1].data, labels.data.T)


def test_named_axes(tmp_path, rng):
    data = rng.integers(0, 9, (3, 20, 30, 3)).astype(np.uint8)
    pairs = Pairs.of([(data, data[..., 0])], axes="TYXC")
    image, labels = pairs.read(0)
    assert (image.axes, labels.axes) == ("TYXC", "TYX")


def test_sizes_that_differ():
    image, labels = samples.nuclei((40, 50))
    pairs = Pairs.of([(image, labels.replace(data=labels.data[:30]))])
    with pytest.raises(
        InputError, match=r"labels of case 'nuclei' is \(30, 50\), that of the image"
    ):
        pairs.read(0)


def test_not_a_pair():
    image, _ = samples.nuclei((40, 50))
    with pytest.raises(InputError, match="give each image with its labels"):
        Pairs.of([image])


def test_slices_subsets_and_parts():
    image, labels = samples.nuclei((40, 50))
    cases = tuple(
        Case(str(i), image, labels, part=p) for i, p in enumerate(("train", "test", "train"))
    )
    pairs = Pairs(cases, "objects", notes=("three",))
    assert [c.name for c in pairs[1:]] == ["1", "2"]
    assert [c.name for c in pairs.subset([2, 0])] == ["2", "0"]
    assert [c.name for c in pairs.part("train")] == ["0", "2"]
    assert pairs[1:].notes == ("three",)


def test_lazy_sources_stay_lazy():
    image, labels = samples.nuclei((40, 50))
    lazy = image.replace(data=da.from_array(image.data))
    assert Pairs.of([(lazy, labels)]).read(0)[0].is_lazy


# ---- finding the layout ----


def test_a_dataset_folder_is_recognised(tmp_path):
    image, labels = samples.nuclei((20, 30))
    io.write(image, tmp_path / "images/a.tif")
    io.write(labels, tmp_path / "masks/a.tif")
    assert len(Pairs.of(tmp_path)) == 1
    assert len(open_layout(tmp_path, ("folders", {"labels": "masks"}))) == 1
    with pytest.raises(FormatError, match="no folder gt in it"):
        open_layout(tmp_path, ("folders", {"labels": "gt"}))


def test_no_layout_fits(tmp_path):
    with pytest.raises(FormatError, match=r"no known layout \(.*coco: .*decathlon: .*folders: "):
        Pairs.of(tmp_path)
    with pytest.raises(FormatError, match="does not exist"):
        Pairs.of(tmp_path / "nowhere")


@pytest.mark.realdata
def test_real_folders(realdata):
    assert len(Pairs.of(realdata / "hippocampus")) == 194
    assert len(Pairs.of((realdata / "dsb2018/images", realdata / "dsb2018/labels"))) == 135
    pairs = Pairs.of((realdata / "ovules", realdata / "ovules"))
    assert [c.labels.name for c in pairs] == ["1135_mini_label.tif", "1136_mini_label.tif"]
    image, labels = pairs.read(0)
    assert image.spacing == labels.spacing
