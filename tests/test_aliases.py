"""Former names of settings load under the names of today."""

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
