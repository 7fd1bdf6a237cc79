"""Networks that were used stand in one list, newest first."""

from pathlib import Path

from napari_segment.widgets.forms.recent import Networks


def test_the_newest_is_first_and_none_stands_twice():
    networks, changes = Networks(), []
    networks.changed.connect(lambda: changes.append(list(networks.folders)))
    for name in ("a", "b", "a"):
        networks.add(Path(name))
    assert networks.folders == [Path("a"), Path("b")]
    assert changes == [[Path("a")], [Path("b"), Path("a")], [Path("a"), Path("b")]]
