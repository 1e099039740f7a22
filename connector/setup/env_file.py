"""A ``.env`` file: changed line by line, and written whole or not at all."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

MODE = 0o600
"""Nobody but the owner: the file holds secrets."""

HEADING = "# Written by `bluesky-genesys setup`"

_VALUE = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\r\n]*?)(?=\s*$|\s+\#)"""
"""A value, up to the end of its line or to a comment behind it."""


class CannotWrite(Exception):
    """A value or a file cannot be written; the message says what to do."""


def read_values(path: Path) -> dict[str, str]:
    """The variables that the file sets to something; nothing if there is no file."""
    if not path.is_file():
        return {}
    values = dotenv_values(path)
    return {name: text.strip() for name, text in values.items() if text and text.strip()}


def update_env(path: Path, values: Mapping[str, str]) -> bool:
    """Give variables these values, and the file its mode; returns whether anything was written.

    The new file takes the place of the old one in one step. What the file held already stays,
    comments included.

    Raises:
        CannotWrite: a value does not fit into such a file, or the folder cannot be written.
    """
    text = path.read_bytes().decode() if path.exists() else ""
    changed = change_text(text, values)
    if changed == text and path.exists() and path.stat().st_mode & 0o777 == MODE:
        return False
    try:
        _replace(path.resolve(), changed)
    except OSError as error:
        raise CannotWrite(
            f"{path} cannot be written: {error.strerror}. Run this in a folder where it can be."
        ) from error
    return True


def change_text(text: str, values: Mapping[str, str]) -> str:
    """The text of a ``.env`` file in which the variables have these values.

    A variable that is set keeps its place; of several settings the last one counts, and is the one
    that changes. Others follow what mentions them in a comment, or come to the end.

    Raises:
        CannotWrite: a value does not fit into such a file.
    """
    bindings = [*parse_stream(io.StringIO(text))]
    parts = [binding.original.string for binding in bindings]
    for name, value in values.items():
        if _read(text).get(name) == value:
            continue
        written = _write_value(name, value)
        place = _find_last(bindings, name)
        if place is not None:
            parts[place] = _replace_value(parts[place], name, written)
        elif (place := _find_comment(bindings, name)) is not None:
            parts[place] = _follow_comment(parts[place], name, f"{name}={written}")
        else:
            _append(parts, f"{name}={written}")
    return "".join(parts)


def _find_last(bindings: list[Binding], name: str) -> int | None:
    places = [place for place, binding in enumerate(bindings) if binding.key == name]
    return places[-1] if places else None


def _find_comment(bindings: list[Binding], name: str) -> int | None:
    for place, binding in enumerate(bindings):
        if any(_mentions(line, name) for line in binding.original.string.splitlines()):
            return place
    return None


def _mentions(line: str, name: str) -> bool:
    return line.lstrip().startswith("#") and line.lstrip("# ").startswith(f"{name}=")


def _replace_value(part: str, name: str, written: str) -> str:
    """In the text of one setting: what stands before and behind its value stays."""
    before = rf"(\s*(?:export[^\S\r\n]+)?{name}[^\S\r\n]*=[^\S\r\n]*)"
    found = re.match(before + _VALUE, part, re.DOTALL)
    if found is None:
        return f"{part.rstrip()}{_newline(part)}{name}={written}{_newline(part)}"
    return f"{found[1]}{written}{part[found.end() :]}"


def _follow_comment(part: str, name: str, line: str) -> str:
    lines = part.splitlines(keepends=True)
    place = next(index for index, one in enumerate(lines) if _mentions(one, name))
    newline = _newline(part)
    if not lines[place].endswith("\n"):
        lines[place] += newline
    return "".join([*lines[: place + 1], f"{line}{newline}", *lines[place + 1 :]])


def _append(parts: list[str], line: str) -> None:
    text = "".join(parts)
    newline = _newline(text)
    if text and not text.endswith("\n"):
        parts.append(newline)
    if HEADING not in text:
        parts.append(f"{newline}{HEADING}{newline}" if text else f"{HEADING}{newline}")
    parts.append(f"{line}{newline}")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _write_value(name: str, value: str) -> str:
    """As it is if it can be, because not everything that reads such a file knows quotes."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    for written in (value, f"'{quoted}'"):
        if "\n" not in value and _read(f"{name}={written}\nNEXT=1\n") == {name: value, "NEXT": "1"}:
            return written
    raise CannotWrite(
        f"{name}: this value cannot be written into a .env file. "
        f"Put it into a file of its own and name that in {name}_FILE."
    )


def _read(text: str) -> dict[str, str | None]:
    return dotenv_values(stream=io.StringIO(text))


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".env-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(MODE)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
