"""``python -m supply.tree ROOT [LIST]``: what a file tree is, told by everything but times.

Two trees with the same line have the same paths, kinds, modes, owners and contents. ``LIST`` gets a
line for each path, so that ``diff`` shows where two differ.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click


def list_tree(root: Path) -> Iterator[str]:
    """A line for each path below the root, in order: mode, owner, contents' hash and path."""
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(folders + names):
            path = Path(folder, name)
            found = path.lstat()
            mode = stat.filemode(found.st_mode)
            owner = f"{found.st_uid}:{found.st_gid}"
            yield f"{mode} {owner} {_hash(path, found)} /{path.relative_to(root)}"


def _hash(path: Path, found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return f"-> {path.readlink()}"
    if not stat.S_ISREG(found.st_mode):
        return "-"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure(root: Path) -> int:
    """Bytes in files."""
    return sum(
        path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink()
    )


@click.command()
@click.argument("root", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", required=False, type=click.Path(path_type=Path), metavar="[LIST]")
def main(root: Path, target: Path | None) -> None:
    """Say how large the tree is, and the hash that tells it from any other."""
    lines = "".join(f"{line}\n" for line in sorted(list_tree(root), key=_read_path))
    if target is not None:
        target.write_text(lines, "utf-8")
    digest = hashlib.sha256(lines.encode()).hexdigest()
    click.echo(f"{lines.count(chr(10))} paths, {measure(root) / 1e6:.0f} MB, sha256 {digest}")


def _read_path(line: str) -> str:
    return line.partition(" /")[2]


if __name__ == "__main__":
    main()
