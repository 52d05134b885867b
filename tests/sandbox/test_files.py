"""A file is there as a whole or not at all."""

import stat
from pathlib import Path

import pytest

from sandbox.files import write_atomically


def modes(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_there_is_replaced_and_nothing_stays_beside_it(tmp_path: Path):
    file = tmp_path / "new" / "file"
    for text in ("first\r\n", "ä\n"):
        write_atomically(file, text)
        assert file.read_bytes().decode() == text
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_the_mode_is_that_which_is_asked_for_whatever_the_umask(tmp_path: Path, mode: int):
    write_atomically(tmp_path / "file", "text", mode=mode)
    assert modes(tmp_path / "file") == mode


def test_without_a_mode_it_is_that_of_any_new_file(tmp_path: Path):
    (tmp_path / "usual").write_text("text")
    write_atomically(tmp_path / "file", "text")
    assert modes(tmp_path / "file") == modes(tmp_path / "usual")


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
