"""What is kept for later runs is whole or not there, whoever dies or comes at the same time."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import sleep

import pytest

from tiergate.gate.paired.cache import made_once


def test_it_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "trees" / "one"
    with made_once(folder) as is_missing:
        assert is_missing
        folder.mkdir()
    with made_once(folder) as is_missing:
        assert not is_missing
    folder.rmdir()
    with made_once(folder) as is_missing:
        assert is_missing, "somebody has deleted it"


def test_what_failed_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "one"

    def make() -> None:
        with made_once(folder):
            folder.mkdir()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        make()
    with made_once(folder) as is_missing:
        assert is_missing


def test_of_two_at_once_the_second_waits_and_finds_it_made(tmp_path: Path) -> None:
    folder, both = tmp_path / "one", Barrier(2)

    def make() -> bool:
        both.wait()
        with made_once(folder) as is_missing:
            if is_missing:
                folder.mkdir()
                sleep(0.05)
                (folder / "whole").touch()
            assert (folder / "whole").exists()
            return is_missing

    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(make) for _ in range(2)]
        assert sorted(one.result() for one in made) == [False, True]


@pytest.mark.integration
def test_who_is_killed_leaves_nothing_that_counts_and_no_lock(tmp_path: Path) -> None:
    code = """
    import os, signal, sys
    from pathlib import Path
    from tiergate.gate.paired.cache import made_once
    folder = Path(sys.argv[1])
    with made_once(folder):
        folder.mkdir()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    script = "\n".join(line.removeprefix("    ") for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "one")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "one").exists()
    with made_once(tmp_path / "one") as is_missing:
        assert is_missing
