"""Logs get every Step."""

from shared.trainings import discs, losses_of, short

from napari_segment.registry import logs


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
