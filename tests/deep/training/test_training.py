"""Training as a generator of Steps: what comes out, what it survives, and exact resuming."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import dask
import dask.array as da
import numpy as np
import pytest
import torch

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.targets import decode
from napari_segment.deep.training import ENTRY, train
from napari_segment.deep.training.learner_torch import Learner
from napari_segment.errors import FormatError, MissingError, SegmentError, SettingError
from napari_segment.image import Image, Labels
from napari_segment.io import write
from napari_segment.registry import logs, losses
from napari_segment.step import run

TINY = ("unet", {"features": (4, 8), "residual_units": 0})


def discs(count=6, shape=(40, 48), values=(3, 7), seed=0):
    """Bright discs of two classes, each as bright as its class."""
    rng = np.random.default_rng(seed)
    pairs = []
    for i in range(count):
        labels = np.zeros(shape, np.uint8)
        grid = np.ogrid[tuple(slice(n) for n in shape)]
        for k, value in enumerate(values):
            middle = [rng.uniform(8, n - 8) for n in shape[-2:]]
            middle = [shape[0] / 2, *middle] if len(shape) == 3 else middle
            far = sum((g - m) ** 2 for g, m in zip(grid, middle, strict=True))
            labels[far < 49] = value
            del k
        bright = np.select([labels == v for v in values], [60, 120][: len(values)], 0)
        image = (bright + rng.normal(0, 10, shape)).astype(np.float32)
        pairs.append(
            (Image(image, name=f"case {i}"), Labels(labels, holds="classes", names={3: "small"}))
        )
    return pairs


def short(pairs, out, **settings):
    """A training of seconds; steps and their checkpoint."""
    settings = {
        "model": TINY, "epochs": 2, "steps": 6, "batch": 4, "device": "cpu", "workers": 0,
        "lr": 0.01, **settings,
    }  # fmt: skip
    steps, work = [], train(pairs, out=out, **settings)
    while True:
        try:
            steps.append(next(work))
        except StopIteration as stop:
            return steps, stop.value


def losses_of(steps):
    return [s.numbers["loss"] for s in steps if "loss" in s.numbers and "dice" not in s.numbers]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "classes"
    return short(discs(10), out, epochs=6, steps=25)


def test_a_short_training_learns_its_classes(trained):
    steps, checkpoint = trained
    assert checkpoint.scores["dice"] > 0.8
    assert {"dice small", "dice 7"} <= set(checkpoint.scores)
    assert losses_of(steps)[-1] < 0.5 * losses_of(steps)[0]


def test_classes_of_two_folders_are_named_by_their_label_files(tmp_path):
    for i, (image, labels) in enumerate(discs(5)):
        write(image, tmp_path / "images" / f"{i}.tif")
        write(labels, tmp_path / "labels" / f"{i}.tif")  # names 3 only
    folders = tmp_path / "images", tmp_path / "labels"
    few = {"epochs": 1, "steps": 1}
    steps, checkpoint = short(folders, tmp_path / "told", **few)
    assert checkpoint.names == {3: "small"}
    assert "dice small" in checkpoint.scores
    assert "classes: 3 small, as the data say" in [s.message for s in steps]
    _, checkpoint = short(folders, tmp_path / "given", classes=("3=tiny", "7=large"), **few)
    assert checkpoint.names == {3: "tiny", 7: "large"}
    assert {"dice tiny", "dice large"} <= set(checkpoint.scores)


def test_the_checkpoint_segments_on_its_own(trained):
    checkpoint = Checkpoint.load(trained[1].folder)
    assert (checkpoint.holds, checkpoint.values, checkpoint.names) == (
        "classes", (0, 3, 7), {3: "small"},
    )  # fmt: skip
    image, labels = discs(1, seed=99)[0]
    pixels = image.data[None]
    ready = checkpoint.apply(pixels, checkpoint.statistics(pixels))
    with torch.no_grad():
        best = checkpoint.network()(torch.from_numpy(ready)[None])[0].argmax(0).numpy()
    assert np.mean(np.take(checkpoint.values, best) == labels.data) > 0.95


def test_the_run_folder_tells_everything(trained):
    folder = trained[1].folder
    rows = list(csv.DictReader((folder / "curves.csv").open()))
    assert [r["epoch"] for r in rows] == [str(i) for i in range(1, 7)]
    assert float(rows[-1]["dice"]) > 0.8
    plan = json.loads((folder / "plan.json").read_text())
    assert "median image" in plan["reasons"]["patch"]
    assert json.loads((folder / "settings.json").read_text())["epochs"] == 6
    assert "8 cases to train on, 2 to validate" in (folder / "data.txt").read_text()
    assert "torch" in json.loads((folder / "versions.json").read_text())
    assert (folder / "curves.png").stat().st_size > 1000
    assert 0 <= float(rows[-1]["accuracy"]) <= 1
    assert "| Conv2d |" in (folder / "network.md").read_text()
    assert "<svg" in (folder / "network.svg").read_text()
    assert len(list((folder / "previews").glob("*.png"))) == 7


def test_steps_carry_progress_scores_and_previews(trained):
    steps, _ = trained
    previews = [s.preview for s in steps if s.preview]
    assert len(previews) == 7
    assert {p["prediction"].shape for p in previews} == {(40, 48)}
    assert max(s.done for s in steps) == max(s.total for s in steps) == 150


def test_a_training_is_the_same_with_threads_and_without(tmp_path):
    alone, _ = short(discs(), tmp_path / "a", workers=0)
    threaded, _ = short(discs(), tmp_path / "b", workers=2)
    assert losses_of(alone) == losses_of(threaded)


def test_cases_that_do_not_fit_into_memory_train_the_same(tmp_path, monkeypatch):
    settings = {"epochs": 1, "steps": 4}
    whole, expected = short(discs(5), tmp_path / "whole", **settings)
    monkeypatch.setattr("napari_segment.deep.training.run._budget", lambda: 2000)
    streamed, checkpoint = short(discs(5), tmp_path / "parts", **settings)
    assert losses_of(streamed) == losses_of(whole)
    assert checkpoint.scores["dice"] == expected.scores["dice"]
    assert "hd95" not in checkpoint.scores
    assert not list((tmp_path / "parts" / "state").glob("cases*"))


def test_patches_changed_on_the_device_are_those_changed_by_threads(tmp_path, monkeypatch):
    settings = {"epochs": 1, "augment": "strong", "workers": 2}
    threaded, _ = short(discs(), tmp_path / "threads", **settings)
    monkeypatch.setattr(
        "napari_segment.deep.training.loop_torch.augments", lambda device, ndim: True
    )
    late, _ = short(discs(), tmp_path / "device", **settings)
    assert losses_of(late) == losses_of(threaded)


def test_a_loss_gets_the_maps_of_its_cases(tmp_path, monkeypatch):
    from napari_segment.deep.nn.losses import _boundary

    spaced = [(i.replace(spacing=(1.0, 2.0), unit="um"), m) for i, m in discs(5)]
    calls = []
    original = _boundary.signed_distance

    def counted(mask, spacing=()):
        calls.append((mask.shape, tuple(spacing)))
        return original(mask, spacing)

    monkeypatch.setattr(_boundary, "signed_distance", counted)
    steps, _ = short(spaced, tmp_path, loss="boundary")
    assert len(calls) == 4 * 3  # cases to train on, classes
    assert set(calls) == {((40, 48), (1.0, 2.0))}
    assert np.isfinite(losses_of(steps)).all()


def test_the_learning_rate_is_looked_for(tmp_path):
    steps, checkpoint = short(discs(), tmp_path, lr=0, find_lr=True, epochs=1, seed=2)
    search = [s.numbers for s in steps if "search lr" in s.numbers]
    assert 20 < len(search) <= 100
    plan = json.loads((tmp_path / "plan.json").read_text())
    least = min(search, key=lambda n: n["search loss"])["search lr"]
    assert plan["lr"] == pytest.approx(least / 10)
    assert 1e-4 < plan["lr"] < 0.1
    assert checkpoint.reasons["lr"] == plan["reasons"]["lr"]
    assert "a tenth of" in plan["reasons"]["lr"]
    rates = [s.numbers["lr"] for s in steps if "lr" in s.numbers and "dice" not in s.numbers]
    assert max(rates) <= plan["lr"] * 1.001
    assert max(rates) > plan["lr"] / 2
    rows = list(csv.DictReader((tmp_path / "learning_rate.csv").open()))
    assert len(rows) == len(search)
    assert (tmp_path / "learning_rate.png").stat().st_size > 1000
    resumed, _ = short(discs(), tmp_path, lr=0, find_lr=True, epochs=2, seed=2, resume=True)
    assert not any("search lr" in s.numbers for s in resumed)
    later = [s.numbers["lr"] for s in resumed if "lr" in s.numbers and "dice" not in s.numbers]
    assert plan["lr"] / 4 < max(later) <= plan["lr"] * 1.001
    with pytest.raises(SettingError, match="give one of them"):
        short(discs(), tmp_path, lr=0.1, find_lr=True, overwrite=True)


def test_resuming_goes_on_to_the_last_bit(tmp_path):
    dropout = ("unet", {**TINY[1], "dropout": 0.2})
    whole, straight = short(discs(), tmp_path / "whole", epochs=3, model=dropout)
    work = train(
        discs(), out=tmp_path / "cut", model=dropout, epochs=3, steps=6, batch=4, lr=0.01,
        device="cpu", workers=0,
    )  # fmt: skip
    seen = 0
    for step in work:
        seen += "loss" in step.numbers and "dice" not in step.numbers
        if seen == 9:  # in the middle of the second epoch
            break
    work.close()
    rest, resumed = short(discs(), tmp_path / "cut", epochs=3, model=dropout, resume=True)
    assert losses_of(rest) == losses_of(whole)[6:]
    one, other = (c.network().state_dict() for c in (straight, resumed))
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert straight.scores == resumed.scores


SCRIPT = """
    import sys
    sys.path.insert(0, {here!r})
    from test_training import TINY, discs
    from napari_segment.deep.training import train
    for step in train(discs(), out={out!r}, model=TINY, epochs=4, steps=6, batch=4, lr=0.01,
                      device="cpu", workers=0, resume=True):
        if "loss" in step.numbers and "dice" not in step.numbers:
            print(repr(step.numbers["loss"]), flush=True)
"""


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_last_bit(tmp_path):
    expected = losses_of(short(discs(), tmp_path / "whole", epochs=4)[0])
    here = os.path.dirname(__file__)  # noqa: PTH120
    script = textwrap.dedent(SCRIPT).format(here=here, out=str(tmp_path / "killed"))
    # Sums depend on the number of threads, which a Dask cluster in this process may have set to 1.
    alike = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    alike["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    first = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=alike
    )
    lines = [first.stdout.readline() for _ in range(14)]
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert [float(x) for x in lines] == expected[:14]
    second = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=alike
    )
    actual = [float(x) for x in second.stdout.split()]
    assert actual == expected[-len(actual) :]
    assert len(actual) in (12, 18)


TOGETHER = """
    import sys
    sys.path.insert(0, {here!r})
    from test_training import TINY, discs
    from napari_segment.deep.training import train
    from napari_segment.step import run
    run(train(discs(), out={out!r}, model=TINY, epochs=2, steps=6, batch={batch}, lr=0.01,
              device="cpu", workers=0, precision="float32", augment="none", balance=0.0))
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    """Two processes of two patches each do what one does with four."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    rows = {}
    for processes, batch in ((1, 4), (2, 2)):
        out = tmp_path / f"of {processes}"
        script = tmp_path / f"train_{processes}.py"
        script.write_text(
            textwrap.dedent(TOGETHER).format(here=here, out=str(out), batch=batch), "utf-8"
        )
        launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]
        done = subprocess.run(
            [*launcher, str(processes), "--master-port", str(29501 + processes), str(script)],
            check=False, capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows[processes] = list(csv.DictReader((out / "curves.csv").open()))
    for one, two in zip(rows[1], rows[2], strict=True):
        assert float(two["dice"]) == pytest.approx(float(one["dice"]), abs=0.02)
        assert float(two["epoch"]) == float(one["epoch"])


def test_a_run_folder_is_not_overwritten_unasked(tmp_path):
    short(discs(), tmp_path, epochs=1)
    with pytest.raises(SettingError, match="holds a training already"):
        short(discs(), tmp_path, epochs=1)
    short(discs(), tmp_path, epochs=1, overwrite=True)


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    settings = {"model": TINY, "epochs": 2, "steps": 3, "device": "cpu", "workers": 0, "lr": 0.01}
    first = train(discs(2), out=tmp_path / "run", **settings)
    next(first)
    held = sorted((tmp_path / "run").rglob("*"))
    for how in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(
            SettingError, match=f"in use by another training .process {os.getpid()}"
        ):
            next(train(discs(2), out=tmp_path / "run", **settings, **how))
    assert sorted((tmp_path / "run").rglob("*")) == held
    assert run(first).folder == tmp_path / "run"
    assert not list((tmp_path / "run").glob(".*"))


def test_a_run_folder_that_was_removed_is_not_made_again(tmp_path):
    work = train(
        discs(2), out=tmp_path / "run", model=TINY, epochs=9, steps=3, device="cpu", lr=0.1
    )
    while next(work).numbers.get("epoch") != 1:
        pass
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(FormatError, match="was removed"):
        run(work)
    assert not (tmp_path / "run").exists()


def test_beginning_again_forgets_the_old_network(tmp_path):
    short(discs(3), tmp_path, epochs=1, steps=2)
    work = train(discs(3), out=tmp_path, overwrite=True, model=TINY, device="cpu")
    next(s for s in work if "loss" in s.numbers)
    work.close()
    assert not (tmp_path / "model.json").exists()
    assert not (tmp_path / "state" / "last.pt").exists()
    with pytest.raises(SettingError, match="cannot be both"):
        short(discs(3), tmp_path, init_from=str(tmp_path), overwrite=True)


def test_the_time_limit_is_respected(trained, tmp_path):
    begun = time.monotonic()
    steps, checkpoint = short(discs(), tmp_path, epochs=0, minutes=0.1)
    assert 3 < time.monotonic() - begun < 60  # a loaded machine starts late
    rates = [s.numbers["lr"] for s in steps if "lr" in s.numbers and "dice" not in s.numbers]
    assert rates[-1] < 0.3 * max(rates)
    assert checkpoint.scores["dice"] > 0


@pytest.mark.parametrize("task", ["classes", "objects"])
def test_a_network_that_learnt_nothing_is_said_to(tmp_path, task):
    with pytest.warns(UserWarning, match="learnt nothing. Give more minutes"):
        steps, checkpoint = short(discs(3), tmp_path, epochs=0, minutes=1e-4, task=task)
    assert "before the first epoch" in steps[-1].message
    assert not any("loss" in s.numbers or "threshold" in s.message for s in steps)
    assert checkpoint.scores == {}


@pytest.mark.parametrize(
    ("shape", "settings", "expected"),
    [
        ((12, 24, 28), {}, (3, 1, 3)),
        ((12, 24, 28), {"ndim": "2", "slices": 3}, (2, 3, 3)),
        ((5, 24, 28), {}, (2, 1, 3)),
        ((1, 3), {}, (2, 1, 3)),
    ],
)
def test_stacks_planes_and_tiny_images(tmp_path, shape, settings, expected):
    pairs = discs(3, shape) if shape[-1] > 3 else _two_voxels()
    _, checkpoint = short(pairs, tmp_path, epochs=1, steps=2, **settings)
    assert (checkpoint.ndim, checkpoint.slices, checkpoint.channels_out) == expected
    assert np.isfinite(checkpoint.scores["dice"])


def _two_voxels():
    marks = np.array([[0, 3, 7]], np.uint8)
    return [(marks.astype(float) * i, marks) for i in range(3)]


def test_one_case_with_channels_and_a_mask(tmp_path):
    rng = np.random.default_rng(0)
    mask = np.zeros((30, 64), np.uint8)
    mask[8:20, 5:60] = 255
    image = Image(np.stack([mask, 255 - mask]) + rng.normal(0, 9, (2, 30, 64)), "CYX")
    _, checkpoint = short([(image, Labels(mask, holds="mask"))], tmp_path, epochs=4, steps=20)
    assert (checkpoint.holds, checkpoint.values, checkpoint.channels_out) == ("mask", (0, 255), 1)
    assert checkpoint.channels_in == 2
    assert checkpoint.scores["dice"] > 0.9


def test_objects_are_learnt_and_detected(tmp_path):
    pairs = []
    for image, labels in discs(8, (48, 64)):
        objects = np.where(labels.data == 3, 1, 0) + np.where(labels.data == 7, 2, 0)
        pairs.append((image, Labels(objects.astype(np.uint16), holds="objects")))
    steps, checkpoint = short(pairs, tmp_path, epochs=8, steps=25)
    assert checkpoint.holds == "objects"
    assert checkpoint.scores["ap"] > 0.7
    assert any("foreground" in s.message for s in steps)
    shown = [s.preview for s in steps if s.preview][-1]
    assert shown["prediction"].max() >= len(np.unique(shown["reference"])) - 1 == 2
    image = pairs[-1][0].data[None]
    with torch.no_grad():
        ready = checkpoint.apply(image, checkpoint.statistics(image))
        maps = checkpoint.network()(torch.from_numpy(ready)[None])[0].sigmoid().numpy()
    assert decode(maps, checkpoint.objects).max() in (1, 2, 3)


def test_sparse_labels_leave_the_rest_open(tmp_path):
    pairs = []
    for image, labels in discs(5, values=(3,)):
        sparse = np.where(labels.data == 3, 2, 1).astype(np.uint8)
        sparse[:, ::2] = 0  # every other column was not painted
        sparse[5:] = np.where(labels.data[5:] == 3, 2, sparse[5:])
        pairs.append((image.data, sparse))
    _, checkpoint = short(pairs, tmp_path, ignore_index=0, epochs=4, steps=20, task="classes")
    assert checkpoint.values == (1, 2)
    assert checkpoint.scores["dice"] > 0.8


def test_fine_tuning_with_other_classes_and_channels(trained, tmp_path):
    pairs = [
        (Image(np.stack([i.data, i.data]), "CYX"), Labels((m.data > 0).astype(np.uint8)))
        for i, m in discs(5)
    ]
    steps, checkpoint = short(
        pairs, tmp_path / "fine", init_from=str(trained[1].folder), task="classes", epochs=1
    )
    assert checkpoint.channels_out == 1
    fresh, _ = short(pairs, tmp_path / "fresh", task="classes", epochs=1)
    assert np.mean(losses_of(steps)) < np.mean(losses_of(fresh))


def test_another_model_is_no_start(trained, tmp_path):
    with pytest.raises(SettingError, match="another model"):
        short(
            discs(), tmp_path, init_from=str(trained[1].folder),
            model=("unet", {"features": (6, 12, 24)}),
        )  # fmt: skip


def test_a_loss_that_breaks_goes_back_and_on_more_slowly(tmp_path, monkeypatch):
    calls = []
    original = Learner.parted_update

    def breaks_once(self, batch):
        calls.append(1)
        return float("nan") if len(calls) == 9 else original(self, batch)

    monkeypatch.setattr(Learner, "parted_update", breaks_once)
    steps, checkpoint = short(discs(), tmp_path, epochs=3)
    assert any("back to epoch 1, at half the rate" in s.message for s in steps)
    assert len(losses_of(steps)) == 18 + 2
    assert checkpoint.scores["dice"] > 0


def test_an_overflow_costs_one_update(tmp_path, monkeypatch):
    original, calls = Learner.loss_of, []

    class Infinite(torch.autograd.Function):
        @staticmethod
        def forward(context, value):
            return value.clone()

        @staticmethod
        def backward(context, gradient):
            return gradient * float("inf")

    def overflow(self, image, target):
        calls.append(1)
        value = original(self, image, target)
        return Infinite.apply(value) if len(calls) == 4 else value

    monkeypatch.setattr(Learner, "loss_of", overflow)
    steps, checkpoint = short(discs(), tmp_path, precision="float32")
    assert len(losses_of(steps)) == 12
    assert not any("not a number" in s.message for s in steps)
    assert np.isfinite(checkpoint.scores["dice"])


def test_a_loss_that_is_always_broken_ends_with_a_message(tmp_path):
    before = losses.snapshot()
    try:

        @losses.add("broken", title="Broken")
        def broken():
            """Give NaN."""
            return lambda logits, target: logits.sum() * float("nan")

        with pytest.raises(SegmentError, match="smaller learning rate"):
            short(discs(), tmp_path, loss="broken")
    finally:
        losses.restore(before)


def test_out_of_memory_goes_on_in_smaller_parts(tmp_path, monkeypatch):
    original = Learner.loss_of

    def limited(self, image, target):
        if len(image) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return original(self, image, target)

    whole, _ = short(discs(), tmp_path / "whole", epochs=1, precision="float32")
    monkeypatch.setattr(Learner, "loss_of", limited)
    steps, _ = short(discs(), tmp_path / "parts", epochs=1, precision="float32")
    said = [s.message for s in steps if "out of memory" in s.message]
    assert "1 patches at once, 4 for an update" in said[-1]
    assert len(losses_of(steps)) == len(losses_of(whole)) == 6


def test_a_log_of_a_third_party_gets_every_step(tmp_path):
    before, logged = logs.snapshot(), []
    try:

        @logs.add("lines", title="Lines")
        def lines(folder, *, limit: int = 3):
            """Write lines.

            Parameters
            ----------
            limit : int
                How many Steps it can bear.
            """

            def log(step):
                if len(logged) >= limit:
                    raise OSError("full")
                logged.append(dict(step.numbers))
                (folder / "lines.txt").write_text(repr(logged))

            return log

        chosen = ("tensorboard", ("lines", {"limit": 8}))
        steps, checkpoint = short(discs(), tmp_path, log=chosen)
        assert sum("loss" in n for n in logged) == 7
        assert (tmp_path / "lines.txt").exists()
        assert [s.message for s in steps if "full" in s.message] == [
            "the log 'lines' failed and is left out: full"
        ]
        assert checkpoint.scores["dice"] > 0
        assert (tmp_path / "events.out.tfevents.0.run").stat().st_size > 100
        silent, _ = short(discs(), tmp_path, log=(), overwrite=True)
        assert losses_of(silent) == losses_of(steps)
        assert not (tmp_path / "events.out.tfevents.0.run").exists()
    finally:
        logs.restore(before)


def test_two_logs_of_one_kind_both_get_every_step(tmp_path):
    before, counts = logs.snapshot(), {"a": 0, "b": 0}
    try:

        @logs.add("counter", title="Counter")
        def counter(folder, *, into: str = "a"):
            """Count Steps.

            Parameters
            ----------
            into : str
                Of which count.
            """

            def log(step):
                counts[into] += 1

            return log

        short(discs(), tmp_path, log=(("counter", {"into": "a"}), ("counter", {"into": "b"})))
        assert counts["a"] == counts["b"] > 6
    finally:
        logs.restore(before)


def test_weights_are_looked_for_before_the_cases_are_read(tmp_path):
    unread = da.from_delayed(dask.delayed(pytest.fail)("read"), (1, 32, 32), np.uint8)
    pairs = [(Image(unread, "CYX"), np.zeros((32, 32), np.uint8))]
    model = ("smp_unet", {"weights": str(tmp_path / "none.safetensors")})
    with pytest.raises(MissingError, match="no file of weights"):
        run(train(pairs, out=tmp_path / "run", model=model))
    assert not (tmp_path / "run").exists()


def test_an_encoder_of_chance_is_not_frozen_for_good(tmp_path):
    model = ("smp_unet", {"encoder": "mobilenet_v2", "depth": 3, "frozen_epochs": -1})
    more = {"model": model, "epochs": 1, "steps": 1, "ndim": "2"}
    with pytest.raises(SettingError, match="frozen_epochs=0"):
        short(discs(2), tmp_path / "run", **more)
    assert not (tmp_path / "run").exists()
    learnt = ("smp_unet", {**model[1], "frozen_epochs": 0})
    short(discs(2), tmp_path / "first", **{**more, "model": learnt})
    short(discs(2), tmp_path / "run", **more, init_from=str(tmp_path / "first"))
    assert Checkpoint.load(tmp_path / "run").network().frozen_epochs == -1


def test_patience_ends_a_training_that_has_stopped_to_improve(tmp_path):
    steps, _ = short(discs(), tmp_path, epochs=30, steps=1, lr=1e-9, patience=2, ema=0)
    assert max(s.numbers.get("epoch", 0) for s in steps) < 10


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["poly", "one_cycle", "plateau", "constant"])
def test_every_optimiser_with_every_schedule(tmp_path, optimizer, schedule):
    steps, _ = short(
        discs(3), tmp_path, epochs=1, steps=2, optimizer=optimizer, schedule=schedule, accumulate=2
    )
    assert np.isfinite(losses_of(steps)).all()


def test_settings_are_checked_before_anything_is_read(tmp_path):
    with pytest.raises(SettingError, match="balance"):
        run(train("nowhere", out=tmp_path, balance=2.0))


def test_the_entry_says_what_every_setting_does():
    schema = ENTRY.schema()["properties"]
    assert all(len(s["description"]) > 10 for s in schema.values())


def test_surfaces_are_measured_for_the_best_and_the_last_network(tmp_path):
    spaced = [(i.replace(spacing=(1.0, 2.0), unit="um"), m) for i, m in discs(5)]
    steps, checkpoint = short(spaced, tmp_path, epochs=4, steps=12)
    rows = [s.numbers for s in steps if "dice" in s.numbers and "epoch" in s.numbers]
    assert "hd95" in rows[-1]
    best = max(rows, key=lambda r: r["dice"])
    assert best["hd95"] == checkpoint.scores["hd95"]
    assert {"hd95 small", "hd95 7", "iou small", "iou"} <= set(checkpoint.scores)
    for row in rows:
        assert row["iou small"] <= row["dice small"]
