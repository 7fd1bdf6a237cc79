"""CamVid: lists of images with their annotations, ``train.txt``, ``val.txt``, ``test.txt``."""

from __future__ import annotations

from pathlib import Path

from napari_segment.errors import OtherLayoutError
from napari_segment.io.containment import contained
from napari_segment.io.datasets.painted import Colour, Painted
from napari_segment.io.datasets.pairs import Case, Pairs
from napari_segment.io.names import natural, stem
from napari_segment.registry import layouts

VOID = 255
_PARTS = {"train": "train", "val": "validation", "test": "test"}
# Names and colours of the 32 classes of Brostow et al. (2009), 10.1016/j.patrec.2008.04.005;
# the last but one, Void, means that nobody labelled it.
_COLOURS = """
Animal 64 128 64; Archway 192 0 128; Bicyclist 0 128 192; Bridge 0 128 64; Building 128 0 0;
Car 64 0 128; CartLuggagePram 64 0 192; Child 192 128 64; Column_Pole 192 192 128;
Fence 64 64 128; LaneMkgsDriv 128 0 192; LaneMkgsNonDriv 192 0 64; Misc_Text 128 128 64;
MotorcycleScooter 192 0 192; OtherMoving 128 64 64; ParkingBlock 64 192 128;
Pedestrian 64 64 0; Road 128 64 128; RoadShoulder 128 128 192; Sidewalk 0 0 192;
SignSymbol 192 128 128; Sky 128 128 128; SUVPickupTruck 64 128 192; TrafficCone 0 0 64;
TrafficLight 0 64 64; Train 192 64 128; Tree 128 128 0; Truck_Bus 192 128 192; Tunnel 64 0 64;
VegetationMisc 192 192 0; Void 0 0 0; Wall 64 192 0
"""
_SEGNET = (
    "Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car",
    "Pedestrian", "Bicyclist",
)  # fmt: skip


@layouts.add("camvid", title="CamVid")
def camvid(folder: Path) -> Pairs:
    """Read the images that CamVid's lists name, with their classes.

    Annotations in colours have the classes of ``label_colors.txt``, else CamVid's own; those in
    numbers have the 11 classes of SegNet's version. Classes are counted from 1, and what is
    void is not labelled.

    Parameters
    ----------
    folder : Path
        Holds ``train.txt``, ``val.txt`` or ``test.txt``: in each line an image and its
        annotation.
    """
    lines = [(name, line) for name in _PARTS for line in _lines(folder / f"{name}.txt")]
    if not lines:
        raise OtherLayoutError("no train.txt, val.txt or test.txt that names images in it")
    names, colours = _classes(folder / "label_colors.txt")
    cases: list[Case] = []
    notes: list[str] = []
    for name, (image, mask) in lines:
        files = _listed_file(folder, image), _listed_file(folder, mask)
        if files[0] is None or files[1] is None:
            notes.append(f"{image} or its annotation is not there; it was left out.")
            continue
        labels = Painted(files[1], colours, {i: i + 1 for i in range(11)} | {11: VOID})
        cases.append(Case(stem(image), files[0], labels, _PARTS[name]))
        if len(cases) == 1 and labels.numbered():
            names = dict(enumerate(_SEGNET, 1))
    cases.sort(key=lambda c: natural(c.name))
    first = f"{len(cases)} images with classes."
    return Pairs(tuple(cases), "classes", names, VOID, notes=(first, *notes))


def _lines(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    pairs = [line.split() for line in path.read_text("utf-8").splitlines()]
    return [(p[0], p[1]) for p in pairs if len(p) == 2]


def _listed_file(folder: Path, name: str) -> Path | None:
    """Return a file by the last two parts of its name; lists hold folders of another machine."""
    parts = Path(name).parts[-2:]
    path = folder.joinpath(*(p for p in parts if p != "/"))
    return path if contained(path, folder, folder / "train.txt").is_file() else None


def _classes(path: Path) -> tuple[dict[int, str], dict[Colour, int]]:
    own = [tuple(reversed(item.rsplit(maxsplit=3))) for item in _COLOURS.split(";")]
    rows = [(c[3].strip(), (int(c[2]), int(c[1]), int(c[0]))) for c in own]
    if path.is_file():
        given = [line.split(maxsplit=3) for line in path.read_text("utf-8").splitlines() if line]
        rows = [(g[3].strip(), (int(g[0]), int(g[1]), int(g[2]))) for g in given]
    names: dict[int, str] = {}
    colours: dict[Colour, int] = {}
    for name, value in rows:
        void = name.lower() in ("void", "unlabelled", "unlabeled", "ignore")
        colours[value] = VOID if void else len(names) + 1
        if not void:
            names[len(names) + 1] = name
    return names, colours
