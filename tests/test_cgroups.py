"""Limits of control groups of both versions, of the group and of those that hold it."""

from __future__ import annotations

from math import inf

import pytest

from napari_segment import cgroups


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A pretended mount; returns a function that writes a file of it, and one for membership."""
    mount, membership = tmp_path / "mount", tmp_path / "membership"
    monkeypatch.setattr(cgroups, "_MOUNT", mount)
    monkeypatch.setattr(cgroups, "_MEMBERSHIP", membership)

    def write(**files):
        for name, content in files.items():
            path = mount / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")

    def belong(*lines):
        membership.write_text("".join(f"{line}\n" for line in lines))

    return write, belong


def memory(folder, limit, used, cache):
    """Files of version 2 of a group."""
    prefix = f"{folder}__" if folder else ""
    return {
        f"{prefix}memory_DOT_max": limit,
        f"{prefix}memory_DOT_current": used,
        f"{prefix}memory_DOT_stat": f"anon {used - cache}\ninactive_file {cache}",
    }


@pytest.mark.parametrize(
    ("content", "cores"),
    [("150000 100000", 1.5), ("max 100000", inf), ("", inf), ("1 0", inf), ("200000 100000", 2)],
)
def test_quota_of_version_2(groups, content, cores):
    write, belong = groups
    belong("0::/")
    write(cpu_DOT_max=content)
    assert cgroups.cpu_quota() == cores


def test_the_least_of_the_groups_counts(groups):
    write, belong = groups
    belong("0::/user/unit")
    write(user__cpu_DOT_max="100000 100000", user__unit__cpu_DOT_max="max 100000")
    assert cgroups.cpu_quota() == 1
    write(user__unit__cpu_DOT_max="50000 100000")
    assert cgroups.cpu_quota() == 0.5
    write(**memory("user", 1000, 700, 0), **memory("user__unit", 900, 500, 200))
    assert cgroups.memory_left() == 300


def test_version_1(groups):
    write, belong = groups
    belong("3:cpu,cpuacct:/pod", "2:memory:/gone", "1:name=systemd:/")
    write(cpu__pod__cpu_DOT_cfs_quota_us=300_000, cpu__pod__cpu_DOT_cfs_period_us=100_000)
    assert cgroups.cpu_quota() == 3
    write(cpu__pod__cpu_DOT_cfs_quota_us=-1)
    assert cgroups.cpu_quota() == inf
    # a container without a namespace of its own: its files are those of the mount itself
    write(
        memory__memory_DOT_limit_in_bytes=10_000,
        memory__memory_DOT_usage_in_bytes=4_000,
        memory__memory_DOT_stat="inactive_file 7\ntotal_inactive_file 1000",
    )
    assert cgroups.memory_left() == 7_000


def test_without_groups_or_limits(groups):
    write, belong = groups
    assert cgroups.cpu_quota() == inf  # no such file: another system
    assert cgroups.memory_left() == 2**62
    belong("0::/")
    assert cgroups.memory_left() == 2**62
    write(**memory("", "max", 700, 0))
    assert cgroups.memory_left() == 2**62


def test_nothing_is_left_of_what_is_used_up(groups):
    write, belong = groups
    belong("0::/")
    write(**memory("", 1_000_000, 1_200_000, 0))
    assert cgroups.memory_left() == 0
