"""An object classifier from a few classes to labels: Python, command line, recipes, bad input."""

import csv
import json

import dask.array as da
import numpy as np
import pytest

import napari_segment as ns
from napari_segment.classical.object_classifier.model import ObjectClassifier
from napari_segment.cli import main
from napari_segment.errors import FormatError, InputError, SettingError
from napari_segment.step import run

PIECES = ["connected_components"]


def shapes(seed, count=16, size=200, spacing=0.5):
    """Discs and bars in rows, of brightness 100: an image, and which of the objects are bars."""
    rng = np.random.default_rng(seed)
    image = np.zeros((size, size), np.uint8)
    y, x = np.indices(image.shape)
    bars = {}
    for number in range(count):
        cy, cx = 25 + 50 * (number // 4), 25 + 50 * (number % 4)
        is_bar = bool(rng.integers(2))
        length, width = (18, 3) if is_bar else (8, 8)
        ellipse = ((y - cy) / length) ** 2 + ((x - cx) / width) ** 2 <= 1
        image[ellipse] = 100 + rng.integers(40)
        bars[cy, cx] = is_bar
    labels = ns.segment(ns.Image(image, spacing=(spacing,) * 2, unit="micrometer"), "manual",
                        cleanups=PIECES, value=50)  # fmt: skip
    is_bar = {int(labels.data[at]): bar for at, bar in bars.items()}
    return ns.Image(image, spacing=(spacing,) * 2, unit="micrometer"), labels, is_bar


def named(is_bar, count=16):
    return {label: "bar" if bar else "disc" for label, bar in list(is_bar.items())[:count]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    image, labels, is_bar = shapes(0)
    out = tmp_path_factory.mktemp("objects") / "shapes"
    return run(ns.train_object_classifier([(labels, named(is_bar), image)], out=out, trees=30))


def classified(image, folder, **settings):
    cleanups = [*PIECES, ("classify_objects", {"checkpoint": folder, **settings})]
    return ns.segment(image, "manual", cleanups=cleanups, value=50)


def test_it_knows_the_objects_of_another_image(trained):
    image, labels, is_bar = shapes(5)
    actual = classified(image, trained.folder)
    np.testing.assert_array_equal(actual.data, labels.data)
    table = dict(zip(actual.features["label"], actual.features["class"], strict=True))
    assert table == {label: "bar" if bar else "disc" for label, bar in is_bar.items()}
    assert (actual.features["score"] > 0.5).all()


def test_classes_can_be_retained_by_name_and_number(trained):
    image, labels, is_bar = shapes(5)
    bars = [label for label, bar in is_bar.items() if bar]
    expected = np.where(np.isin(labels.data, bars), labels.data, 0)
    for chosen in ("bar", "1"):  # names are numbered in alphabetical order
        actual = classified(image, trained.folder, retain=(chosen,))
        np.testing.assert_array_equal(actual.data, expected)
        assert sorted(actual.features["label"]) == sorted(bars)
    with pytest.raises(SettingError, match=r"no class 'rod'.*1 \(bar\), 2 \(disc\)"):
        classified(image, trained.folder, retain=("rod",))


def test_voxels_can_take_the_classes(trained):
    image, labels, is_bar = shapes(5)
    actual = classified(image, trained.folder, give="classes")
    assert (actual.holds, actual.names, actual.values) == (
        "classes", {1: "bar", 2: "disc"}, (0, 1, 2),
    )  # fmt: skip
    numbers = np.zeros(labels.data.max() + 1, int)
    numbers[list(is_bar)] = [1 if bar else 2 for bar in is_bar.values()]
    np.testing.assert_array_equal(actual.data, numbers[labels.data])


def test_sizes_are_physical(trained):
    """The same objects in nanometres; twice as large pixels make other objects of them."""
    image, _, _ = shapes(5)
    expected = classified(image, trained.folder).features
    nanometers = image.replace(spacing=(500.0, 500.0), unit="nanometer")
    actual = classified(nanometers, trained.folder).features
    np.testing.assert_array_equal(actual["class"], expected["class"])
    with pytest.raises(InputError, match="pixel"):
        classified(image.replace(spacing=(1.0, 1.0), unit="pixel"), trained.folder)


def test_filters_do_not_change_the_intensities_that_are_measured(tmp_path):
    """Bright and dim discs of one shape, and a filter that makes them alike."""
    image = np.zeros((40, 100), np.uint8)
    y, x = np.indices(image.shape)
    for i, value in enumerate((90, 200, 90, 200)):
        image[(y - 20) ** 2 + (x - 12 - 25 * i) ** 2 <= 64] = value
    labels = ns.segment(image, "manual", cleanups=PIECES, value=50)
    classes = {1: "dim", 2: "bright", 3: "dim", 4: "bright"}
    cases = [(labels, classes, image)]
    model = run(ns.train_object_classifier(cases, out=tmp_path / "c", trees=9))
    cleanups = [*PIECES, ("classify_objects", {"checkpoint": model.folder})]
    flat = ns.segment(image, "manual", value=0.3, filters=["clahe"], cleanups=cleanups)
    assert flat.features["class"].tolist() == ["dim", "bright", "dim", "bright"]


def test_lazy_labels_give_the_same(trained):
    image, _, _ = shapes(5)
    whole = classified(image, trained.folder, retain=("bar",))
    lazy = image.replace(data=da.from_array(image.data, chunks=(70, 90)))
    blocks = classified(lazy, trained.folder, retain=("bar",))
    assert blocks.is_lazy
    np.testing.assert_array_equal(np.asarray(blocks.data), whole.data)
    np.testing.assert_array_equal(blocks.features["class"], whole.features["class"])


def test_volumes_over_time_with_channels(tmp_path):
    """Cubes bright in one or the other of two channels; the first time point teaches the second."""
    film = np.zeros((2, 2, 6, 12, 60), np.float32)
    spots = [(0, slice(3, 8)), (1, slice(13, 18)), (0, slice(23, 28)), (1, slice(33, 38))]
    for time in (0, 1):
        for channel, at in spots[:: 1 - 2 * time]:
            film[time, channel, 1:4, 3:8, at] = 1
    image = ns.Image(film, "TCZYX", channels=("red", "green"))
    mask = ns.Labels((film.max(1) > 0).astype(np.uint8), "TZYX", holds="mask")
    labels = ns.Labels(np.stack([_numbered(m) for m in mask.data]), "TZYX")
    classes = {(0, 1): "red", (0, 2): "green", (0, 3): "red", (0, 4): "green"}
    cases = [(labels, classes, image)]
    model = run(ns.train_object_classifier(cases, out=tmp_path / "c", trees=9))
    assert model.channels == ("red", "green")
    cleanups = [*PIECES, ("classify_objects", {"checkpoint": model.folder})]
    actual = ns.segment(image, "manual", channel="red", value=0.5, cleanups=cleanups)
    assert set(actual.features["time"]) == {0, 1}


def _numbered(mask):
    from scipy.ndimage import label

    return label(mask)[0].astype(np.uint8)


def test_the_class_of_most_painted_voxels_counts(tmp_path):
    image, labels, is_bar = shapes(0)
    painted = np.zeros_like(labels.data)
    for label, bar in is_bar.items():
        inside = np.argwhere(labels.data == label)
        painted[tuple(inside[:9].T)] = 2 - bar
        painted[tuple(inside[9:12].T)] = 1 + bar  # fewer, of the other class
    painted[0, 0] = 2  # on nothing
    marks = labels.replace(data=painted, holds="classes", names={1: "bar", 2: "disc"}, recipe=None)
    by_marks = run(ns.train_object_classifier([(labels, marks, image)], out=tmp_path / "a"))
    by_names = run(ns.train_object_classifier([(labels, named(is_bar), image)], out=tmp_path / "b"))
    assert by_marks.names == by_names.names == {1: "bar", 2: "disc"}
    assert by_marks.importances == by_names.importances


def test_the_command_line_gives_the_same(trained, tmp_path, capsys):
    image, labels, is_bar = shapes(0)
    for folder, stack in (("images", image), ("labels", labels)):
        (tmp_path / folder).mkdir()
        ns.write(stack, tmp_path / folder / "a.ome.tif")
    with (tmp_path / "classes.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "label", "class"])
        writer.writerows([["a.ome.tif", label, name] for label, name in named(is_bar).items()])
        writer.writerow(["b.ome.tif", 99, "disc"])  # of a file that is not there
    given = [f"--{n}={tmp_path / n}" for n in ("labels", "images")]
    given += [f"--classes={tmp_path / 'classes.csv'}", "-o", str(tmp_path / "c"), "--trees", "30"]
    assert main(["train-object-classifier", *given, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["importances"] == trained.importances
    other = shapes(5)[0]
    ns.write(other, tmp_path / "other.ome.tif")
    target = tmp_path / "out.tif"
    cleanup = f"classify_objects:checkpoint={tmp_path / 'c'},retain=bar"
    command = ["segment", "manual", str(tmp_path / "other.ome.tif"), "-o", str(target)]
    command += ["--value", "50", "--cleanup", PIECES[0], "--cleanup", cleanup]
    assert main(command) == 0
    expected = classified(other, trained.folder, retain=("bar",))
    np.testing.assert_array_equal(np.asarray(ns.read(target).data), expected.data)
    again = ns.replay(tmp_path / "out.recipe.yaml", other)
    np.testing.assert_array_equal(again.data, expected.data)


def test_bad_input_is_refused_with_a_message(trained, tmp_path):
    image, labels, is_bar = shapes(0)
    out = tmp_path / "x"

    def refuse(match, cases, error=InputError):
        with pytest.raises(error, match=match):
            run(ns.train_object_classifier(cases, out=out))

    refuse("Only class 1 has objects", [(labels, {1: 1, 2: 1})])
    refuse("no object 99", [(labels, {1: 1, 99: 2})])
    refuse("No object has a class", [(labels, {})])
    refuse("There are no objects", [])
    refuse("numbered from 1", [(labels, {1: 0, 2: 1})])
    refuse("Some classes are names", [(labels, {1: "bar", 2: 2})])
    refuse("hold mask", [(labels.replace(holds="mask"), {1: 1, 2: 2})])
    refuse("image channel", [(labels, {1: 1}, image), (labels, {2: 2})])
    (tmp_path / "t.csv").write_text("number,kind\n1,a\n")
    refuse("columns 'label' and 'class'", [(labels, tmp_path / "t.csv")], FormatError)
    (tmp_path / "t.csv").write_text("label,class\none,a\n")
    refuse("'one'.*is not the number", [(labels, tmp_path / "t.csv")], FormatError)
    assert not out.exists() or not (out / "model.json").exists()
    with pytest.raises(SettingError, match="holds a trained model already"):
        run(ns.train_object_classifier([(labels, named(is_bar))], out=trained.folder))
    with pytest.raises(InputError, match="number their pieces"):
        ns.segment(image, "otsu", cleanups=[("classify_objects", {"checkpoint": trained.folder})])
    two = ns.Image(np.stack([image.data] * 2), "CYX", spacing=image.spacing, unit=image.unit)
    with pytest.raises(InputError, match="1 channel"):
        ns.segment(
            two, "manual", channel=0, value=50,
            cleanups=[*PIECES, ("classify_objects", {"checkpoint": trained.folder})],
        )  # fmt: skip


def test_a_folder_of_another_kind_is_refused(trained, tmp_path):
    card = json.loads((trained.folder / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | {"kind": "pixel_classifier"}))
    with pytest.raises(FormatError, match="no object classifier"):
        ObjectClassifier.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(card | {"columns": ["area"]}))
    (tmp_path / "forest.safetensors").write_bytes(
        (trained.folder / "forest.safetensors").read_bytes()
    )
    with pytest.raises(FormatError, match="made of two"):
        ObjectClassifier.load(tmp_path).forest()


def test_an_image_without_objects(trained):
    image = ns.Image(np.zeros((30, 30), np.uint8), spacing=(0.5, 0.5), unit="micrometer")
    actual = classified(image, trained.folder)
    assert not actual.data.any()
    assert len(actual.features["label"]) == 0
