"""A table whose rows lead somewhere."""

import pytest
from qtpy.QtCore import Qt

from napari_segment.widgets.docks.error_table import ErrorTable

TITLES = {"outcome": "outcome", "time": "time", "iou": "IoU"}
ROWS = [
    {"outcome": "split", "iou": 0.25}, {"outcome": "missed", "iou": None},
    {"outcome": "matched", "iou": 0.75},
]  # fmt: skip


@pytest.fixture
def table(qtbot):
    table = ErrorTable(TITLES, {"missed": "#4c9be8"}, "tip")
    qtbot.addWidget(table)
    table.show_rows(ROWS)
    table.resize(300, 200)
    table.show()
    return table


def texts(table):
    model = table.model()
    return [
        [model.data(model.index(row, column)) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_columns_that_no_row_has_are_left_out(table):
    assert texts(table) == [["split", "0.250"], ["missed", "–"], ["matched", "0.750"]]
    decoration = Qt.ItemDataRole.DecorationRole
    colors = [table.model().data(table.model().index(row, 0), decoration) for row in range(3)]
    assert [color and color.name() for color in colors] == [None, "#4c9be8", None]


def test_a_click_chooses_the_row_as_it_is_sorted(table, qtbot):
    chosen = []
    table.chosen.connect(chosen.append)
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [row[1] for row in texts(table)] == ["–", "0.750", "0.250"]
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert [row[0] for row in texts(table)] == ["matched", "missed", "split"]
    spot = table.visualRect(table.model().index(2, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert chosen
    assert all(row == ROWS[0] for row in chosen)
    table.show_rows(ROWS)
    assert [row[0] for row in texts(table)] == ["split", "missed", "matched"]
