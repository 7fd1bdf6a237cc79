"""The models of this machine: added whole or not at all, used by name, verified, removed."""

import http.server
import json
import threading
import zipfile

import numpy as np
import pytest

from napari_segment import api
from napari_segment.cli import main
from napari_segment.deep.card import ModelCard
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import FormatError, MissingError, SettingError, UnknownNameError
from napari_segment.exchange.catalogue import download as downloading
from napari_segment.exchange.onnx import OnnxCard
from napari_segment.io.hashing import file_hash
from napari_segment.io.models_folder import VARIABLE, models_folder
from napari_segment.recipe import Spec
from napari_segment.step import run

TINY = Spec(name="textbook_unet", settings={"features": 4, "levels": 2})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def checkpoint(tmp_path):
    made = Checkpoint(
        folder=tmp_path / "run", model=TINY, ndim=2, channels=("dna",), channels_out=1,
        activation="sigmoid", holds="mask", values=(0, 1), patch=(32, 32),
        normalisation=(Normalisation(scheme="zscore"),), scores={"dice": 0.5},
    )  # fmt: skip
    from napari_segment.deep.nn.models import build

    made.save(build(TINY, 1, 1, 2).state_dict())
    (made.folder / "state").mkdir()
    (made.folder / "state" / "last.pt").write_bytes(b"0" * 1000)
    return made


def zipped(folder, path, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, inside + file.relative_to(folder).as_posix())
    return path


def names():
    return [model.name for model in api.list_models() if model.origin != "bundled"]


def test_a_run_is_added_without_what_only_training_needs(checkpoint, folder):
    model = api.add_model(checkpoint.folder, name="cells")
    assert {p.name for p in (folder / "cells").iterdir()} == {
        "added.json", "model.json", "weights.safetensors",
    }  # fmt: skip
    assert (model.name, model.kind.name, model.origin) == ("cells", "network", "added")
    assert names() == ["cells"]
    assert "which also chose the epoch" in str(model.card.scores[0])


def test_a_model_is_used_by_its_name_with_the_result_of_its_folder(checkpoint, tmp_path):
    api.add_model(checkpoint.folder, name="cells")
    image = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    expected = api.segment(image, "network", checkpoint=checkpoint.folder)
    actual = api.segment(image, "network", checkpoint="cells")
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected))
    assert api.find_model("cells").uses[0][0] == "an image"
    path = api.write(api.as_image(image, "YX"), tmp_path / "image.tif")
    out = tmp_path / "labels.tif"
    assert main(["segment", "network", str(path), "--checkpoint", "cells", "-o", str(out)]) == 0
    np.testing.assert_array_equal(np.asarray(api.read(out)), np.asarray(expected))
    assert api.find_model("cells").uses[0][0] == "image"


def test_a_zip_file_of_a_run_is_added(checkpoint, tmp_path):
    model = api.add_model(zipped(checkpoint.folder, tmp_path / "a.zip", "some/run/"), name="z")
    assert file_hash(model.path / "weights.safetensors") == file_hash(
        checkpoint.folder / "weights.safetensors"
    )


def test_a_path_outside_of_the_zip_file_is_refused(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../model.json", "{}")
        archive.writestr("weights.safetensors", "")
    with pytest.raises(FormatError, match="outside of its folder"):
        api.add_model(tmp_path / "a.zip")
    assert not list(folder.glob("*")) if folder.exists() else True
    assert not (tmp_path.parent / "model.json").exists()


def test_what_cannot_be_read_leaves_nothing(checkpoint, folder):
    (checkpoint.folder / "model.json").write_text("{}")
    with pytest.raises(FormatError, match="cannot be used"):
        api.add_model(checkpoint.folder, name="broken")
    assert names() == []
    assert not (folder / "broken").exists()


def test_a_name_is_taken_once(checkpoint, folder):
    api.add_model(checkpoint.folder, name="cells")
    with pytest.raises(SettingError, match="--overwrite"):
        api.add_model(checkpoint.folder, name="cells")
    api.add_model(checkpoint.folder, name="cells", overwrite=True)
    assert names() == ["cells"]
    assert {p.name for p in folder.iterdir() if p.is_dir()} == {"cells"}


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "x" * 200])
def test_names_that_are_paths_are_refused(checkpoint, name):
    if not name:
        assert api.add_model(checkpoint.folder, name=name).name == "run"
        return
    with pytest.raises(SettingError, match="cannot be the name"):
        api.add_model(checkpoint.folder, name=name)


def test_a_hash_that_differs_is_refused(checkpoint, tmp_path):
    path = zipped(checkpoint.folder, tmp_path / "a.zip")
    with pytest.raises(FormatError, match="SHA-256"):
        api.add_model(path, sha256="0" * 64)
    right = file_hash(path).removeprefix("sha256:")
    assert api.add_model(path, sha256=right, name="right").name == "right"


def test_something_else_is_refused_with_what_is_expected(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FormatError, match=r"none of the models.*BioImage.IO package"):
        api.add_model(tmp_path / "notes.txt")
    with pytest.raises(FormatError, match="does not exist"):
        api.add_model(tmp_path / "absent")


def test_a_training_is_listed_and_removed_from_the_list_alone(tmp_path):
    from napari_segment.samples import nuclei

    pairs = [nuclei((32, 32), seed=i) for i in range(3)]
    work = api.train(
        pairs, out=tmp_path / "trained", model=("textbook_unet", dict(TINY.settings)), epochs=1,
        steps=1, batch=2, device="cpu", workers=0, task="objects",
    )  # fmt: skip
    run(work)
    model = api.find_model("trained")
    assert (model.origin, model.path) == ("trained", tmp_path / "trained")
    api.remove_model("trained")
    assert names() == []
    assert (tmp_path / "trained" / "model.json").exists()


def test_verification_finds_what_changed(checkpoint):
    api.add_model(checkpoint.folder, name="cells")
    (right,) = api.verify_models(["cells"])
    assert (right.problems, right.checked) == ((), 2)
    weights = models_folder() / "cells" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (wrong,) = api.verify_models(["cells"])
    assert "weights.safetensors has changed" in wrong.problems[0]
    weights.unlink()
    (gone,) = api.verify_models(["cells"])
    assert any("weights.safetensors is missing" in problem for problem in gone.problems)


def test_an_unknown_model_is_named_with_what_comes_near(checkpoint):
    api.add_model(checkpoint.folder, name="cells")
    with pytest.raises(UnknownNameError, match="'cells'"):
        api.find_model("cels")
    with pytest.raises(FormatError, match="name of a model of this machine"):
        api.segment(np.zeros((8, 8)), "network", checkpoint="cels")


def test_a_note_that_points_elsewhere_is_no_model(checkpoint, folder, tmp_path):
    api.add_model(checkpoint.folder, name="cells")
    note = json.loads((folder / "cells" / "added.json").read_text())
    (folder / "cells" / "added.json").write_text(json.dumps({**note, "entry": "../../run"}))
    assert names() == []


def test_an_onnx_file_is_added_with_the_card_that_is_given(checkpoint, tmp_path):
    onnx = pytest.importorskip("onnx")
    del onnx
    path = api.export(checkpoint.folder, tmp_path / "net.onnx")
    card = tmp_path / "other.json"
    OnnxCard(
        normalisation=(Normalisation(scheme="percentile"),), tile=(32, 32), activation="sigmoid",
        classes=("cell",),
    ).save(card)  # fmt: skip
    model = api.add_model(path, name="given", card=card)
    assert model.card.classes == ("cell",)
    assert OnnxCard.load(model.path.with_suffix(".json")).normalisation[0].scheme == "percentile"
    assert api.find_model("given").recipe == ("onnx", {"model": "given"})
    assert api.add_model(path, name="own").card.holds == "mask"
    image = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    assert api.segment(image, "onnx", model="own").shape == (40, 40)


# ---- downloads ----


class Server(http.server.BaseHTTPRequestHandler):
    """Serves one file with ranges; breaks off after so many bytes, as often as asked."""

    content, break_after, breaks, tag, seen = b"", 0, 0, '"1"', []

    def do_GET(self):
        cls = type(self)
        if self.path != "/a.zip":
            self.send_error(404)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range") == cls.tag:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
        cls.seen.append(start)
        part = cls.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", cls.tag)
        self.end_headers()
        if cls.breaks:
            cls.breaks -= 1
            part = part[: cls.break_after]
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(checkpoint, tmp_path):
    Server.content = zipped(checkpoint.folder, tmp_path / "served.zip").read_bytes()
    Server.seen, Server.breaks, Server.tag = [], 0, '"1"'
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/a.zip"
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_model_comes_from_an_address(server, folder):
    digest = file_hash(folder.parent / "served.zip")
    model = api.add_model(server, name="net", sha256=digest)
    assert model.name == "net"
    assert not list((folder / ".downloads").glob("*/done"))


def test_a_broken_connection_is_continued_where_it_broke(server):
    Server.break_after, Server.breaks = 1500, 3
    assert api.add_model(server, name="net").name == "net"
    assert Server.seen == [0, 1500, 3000, 4500]


def test_what_arrived_is_continued_by_the_next_call(server, monkeypatch):
    monkeypatch.setattr(downloading, "_ATTEMPTS", 1)
    Server.break_after, Server.breaks = 2000, 1
    steps = api.add_model_steps(server, name="net")
    for step in steps:
        if step.done >= 2000:
            steps.close()
            break
    assert api.add_model(server, name="net").name == "net"
    assert Server.seen == [0, 2000]


def test_another_file_at_the_address_begins_again(server):
    Server.break_after, Server.breaks = 2000, 1
    steps = api.add_model_steps(server, name="net")
    next(step for step in steps if step.done >= 2000)
    steps.close()
    Server.tag = '"2"'
    assert api.add_model(server, name="net").name == "net"
    assert Server.seen == [0, 0]


def test_a_download_of_another_hash_adds_nothing(server):
    with pytest.raises(FormatError, match="Nothing was added"):
        api.add_model(server, sha256="0" * 64)
    assert names() == []


def test_an_absent_file_and_an_absent_server_are_named(server, monkeypatch):
    with pytest.raises(FormatError, match="404"):
        api.add_model(server.replace("a.zip", "b.zip"))
    monkeypatch.setattr(downloading, "_SECONDS", 1.0)
    with pytest.raises(MissingError, match=r"cannot be reached.*Without a network"):
        api.add_model("http://127.0.0.1:9/a.zip")


# ---- the command line ----


def test_the_commands(checkpoint, capsys):
    ModelCard(title="My cells", network="textbook_unet", licence="CC0-1.0", ndim=2).save(
        checkpoint.folder
    )
    assert main(["models", "add", str(checkpoint.folder)]) == 0
    assert "my-cells" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "my-cells" in capsys.readouterr().out
    assert main(["models"]) == 0
    assert main(["models", "show", "my-cells"]) == 0
    text = capsys.readouterr().out
    assert "CC0-1.0" in text
    assert "--checkpoint my-cells" in text
    assert main(["models", "list", "--json"]) == 0
    known = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert known["my-cells"]["card"]["licence"] == "CC0-1.0"
    assert main(["models", "verify", "my-cells"]) == 0
    assert "4 files as when" in capsys.readouterr().out
    assert main(["models", "remove", "my-cells"]) == 2
    assert "give --yes" in capsys.readouterr().err
    assert main(["models", "remove", "my-cells", "--yes"]) == 0
    assert main(["models", "show", "my-cells"]) == 2
