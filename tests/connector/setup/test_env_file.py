"""A .env file keeps whatever it held, and reads back what was written."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from connector.setup.env_file import MODE, CannotWrite, change_text, read_values, update_env

VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1, max_size=30
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "# Written by `bluesky-genesys setup`\nA=new\n"),
        ("B=1\n", "B=1\n\n# Written by `bluesky-genesys setup`\nA=new\n"),
        ("B=1", "B=1\n\n# Written by `bluesky-genesys setup`\nA=new\n"),
        ("# first\nA=\n# last\n", "# first\nA=new\n# last\n"),
        ("A=old # why\nB=1\n", "A=new # why\nB=1\n"),
        ("A='old # not why' # why\n", "A=new # why\n"),
        ('export A = "old"\n', "export A = new\n"),
        ("A=first\nA=second\n", "A=first\nA=new\n"),
        ("# A=default\n# B=1\n", "# A=default\nA=new\n# B=1\n"),
        ("# about A\n\n  # A=", "# about A\n\n  # A=\nA=new\n"),
        ("AA=1\nA=old\nBA=A\n", "AA=1\nA=new\nBA=A\n"),
        ("A\nB=1\n", "A\nA=new\nB=1\n"),
        ('A="two\nlines"\nB=1\n', "A=new\nB=1\n"),
        ("B=1\r\nA=old\r\n", "B=1\r\nA=new\r\n"),
        ("A=new\n", "A=new\n"),
        ("A='new'\n", "A='new'\n"),
    ],
)
def test_only_the_value_changes(before: str, after: str) -> None:
    """Lines, order, comments, `export` and line ends stay as they are."""
    assert change_text(before, {"A": "new"}) == after
    assert change_text(after, {"A": "new"}) == after


@given(value=VALUES)
def test_a_value_reads_back_as_it_is_or_is_refused(value: str) -> None:
    """Whatever characters it has; one that cannot be written is not written differently."""
    text = "# before\nA=old # comment\nB=1\n"
    with contextlib.suppress(CannotWrite):
        changed = change_text(text, {"A": value})
        assert dotenv_values(stream=io.StringIO(changed)) == {"A": value, "B": "1"}


def test_a_plain_value_has_no_quotes() -> None:
    """Not everything that reads such a file knows them: `docker run --env-file` does not."""
    secret = "abc#def=ghi-jkl!"
    assert change_text("", {"A": secret}).endswith(f"\nA={secret}\n")


def test_a_value_that_refers_to_another_is_refused() -> None:
    """`${B}` would be replaced when it is read."""
    with pytest.raises(CannotWrite, match="A: this value cannot be written"):
        change_text("", {"A": "pass${B}word"})


def test_a_file_is_replaced_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    """Through a link, too, which stays one."""
    real, link = tmp_path / "real", tmp_path / ".env"
    real.write_text("B=1\n")
    link.symlink_to(real)

    assert update_env(link, {"A": "x"})
    assert not update_env(link, {"A": "x"})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == MODE
    assert read_values(link) == {"A": "x", "B": "1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "real"]


def test_nothing_is_written_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk is full, the old file is still there, and nothing beside it."""
    path = tmp_path / ".env"
    path.write_text("B=1\n")

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CannotWrite, match="No space left on device"):
        update_env(path, {"A": "x"})
    assert [one.read_text() for one in tmp_path.iterdir()] == ["B=1\n"]
