"""Former names of settings load under the names of today."""

import pytest

from napari_segment import aliases


def test_a_former_name_becomes_the_name_of_today(monkeypatch):
    monkeypatch.setitem(aliases.SETTINGS, "methods.otsu", {"levels": "bins"})
    known = frozenset({"bins"})
    assert aliases.current_settings("methods", "otsu", {"levels": 64}, known) == {"bins": 64}
    assert aliases.current_settings("methods", "li", {"levels": 64}, known) == {"levels": 64}


def test_a_name_of_today_is_never_translated(monkeypatch):
    monkeypatch.setitem(aliases.SETTINGS, "methods.*", {"bins": "levels"})
    assert aliases.current_settings("methods", "otsu", {"bins": 64}, frozenset({"bins"})) == {
        "bins": 64
    }


def test_a_former_value_is_converted_with_its_name(monkeypatch):
    monkeypatch.setitem(aliases.SETTINGS, "methods.network", {"fast": "precision"})
    monkeypatch.setitem(
        aliases.VALUES, "methods.network.precision", lambda v: "reduced" if v else "float32"
    )
    known = frozenset({"precision"})
    given = aliases.current_settings("methods", "network", {"fast": True}, known)
    assert given == {"precision": "reduced"}
    again = aliases.current_settings("methods", "network", {"precision": "auto"}, known)
    assert again == {"precision": "auto"}


def test_a_size_without_limit_and_a_range_from_the_data_are_named():
    from napari_segment.registry import cleanups, methods

    assert cleanups["fill_holes"].validate({"largest": 0})["max_size"] == "none"
    assert cleanups["fill_holes"].validate({"largest": 6})["max_size"] == 6
    assert methods["sauvola"].validate({"spread": 0.0})["dynamic_range"] == "auto"
    assert methods["phansalkar"].validate({"spread": 0.5})["dynamic_range"] == 0.5
    assert cleanups["dense_crf"].validate({"near": 3.0})["smoothness_sigma"] == 3.0


@pytest.mark.parametrize(
    ("kind", "entry", "former", "today"),
    [
        ("filters", "channels", {"which": []}, {"indices": "all"}),
        ("filters", "channels", {"indices": [2, 0]}, {"indices": (2, 0)}),
        ("filters", "isotropic", {"side": 0.0}, {"side": "auto"}),
        ("filters", "isotropic", {"side": 0.5}, {"side": 0.5}),
        ("filters", "bilateral", {"contrast": 0.2}, {"intensity_sigma": 0.2}),
        ("filters", "clahe", {"clip": 0.02}, {"clip_limit": 0.02}),
        ("filters", "nonlocal_means", {"patch": 2, "search": 4},
         {"patch_radius": 2, "search_radius": 4}),
        ("filters", "kmeans_image", {"choose": "elbow"}, {"selection": "elbow"}),
        ("methods", "kmeans", {"choose": "elbow", "position": 0.5, "texture": 2.0},
         {"selection": "elbow", "position_weight": 0.5, "texture_weight": 2.0}),
        ("methods", "chan_vese", {"inside": 2.0, "outside": 3.0},
         {"inside_weight": 2.0, "outside_weight": 3.0}),
        ("methods", "fill_contours", {"gap": 3.0}, {"max_gap": 3.0}),
        ("methods", "levels", {"values": [1, 2]}, {"thresholds": (1.0, 2.0)}),
        ("cleanups", "split_touching", {"units": "share"}, {"depth_units": "relative"}),
        ("cleanups", "split_touching", {"units": "absolute"}, {"depth_units": "absolute"}),
        ("cleanups", "link_planes", {"overlap": 0.4, "gap": 2}, {"min_overlap": 0.4, "max_gap": 2}),
    ],
)  # fmt: skip
def test_former_settings_of_classical_methods_and_cleanups(kind, entry, former, today):
    from napari_segment.registry import REGISTRIES

    settings = REGISTRIES[kind][entry].validate(former)
    assert {name: settings[name] for name in today} == today


def test_tracking_takes_the_former_names_of_its_settings():
    from napari_segment.api.entries import verb

    settings = verb("track").validate({"overlap": 0.4, "gap": 2})
    assert settings == {"min_overlap": 0.4, "max_gap": 2}
