"""Collects what the connector runs on, and nothing else, into a directory: the image's root.

Runs in the stage of the Dockerfile that builds, with the Python of the base image::

    python collect.py ENVIRONMENT ROOT            Python, its libraries and the environment
    python collect.py ENVIRONMENT ROOT --beyond OTHER   what the environment has and OTHER lacks

No shell is collected, no package manager and nothing that builds. The same installation gives the
same tree: compiled files are made here, and depend on the contents alone.
"""

from __future__ import annotations

import argparse
import compileall
import functools
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_UNUSED = frozenset(
    {
        "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
        "site-packages", "test", "tkinter", "turtledemo", "venv",
    }
)  # fmt: skip
"""Of the standard library."""
_PROGRAMS = re.compile(r"python[0-9.]*|bluesky-genesys")
"""Of the environment's; what else packages bring is for people, or starts servers."""
_SYSTEM = (
    "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/nsswitch.conf", "/etc/os-release", "/etc/ssl",
    "/usr/lib/ssl", "/usr/share/ca-certificates",
)  # fmt: skip
_LOADED_BY_NAME = "libgcc_s.so.1"
"""By the C library, when a thread ends: no file names it."""
_DPKG = Path("/var/lib/dpkg")


def main() -> None:
    """Collect, compile, and say what Debian's packages the files are from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("--beyond", type=Path)
    arguments = parser.parse_args()
    root: Path = arguments.root
    wanted = list(list_environment(arguments.environment))
    if arguments.beyond is None:
        wanted += list_python()
        wanted += [path for name in _SYSTEM for path in walk(Path(name))]
        wanted += list_libraries(wanted)
    for path in wanted:
        if arguments.beyond is None or not os.path.lexists(place(arguments.beyond, path)):
            copy(path, root)
    if arguments.beyond is None:
        describe_packages(root)
        subprocess.run(["/sbin/ldconfig", "-X", "-r", str(root)], check=True)  # noqa: S603
        shutil.rmtree(root / "var/cache", ignore_errors=True)
    compile_all(root)


def list_environment(environment: Path) -> Iterator[Path]:
    """The packages of a virtual environment, and of its programs those that are used."""
    yield environment / "pyvenv.cfg"
    yield from (path for path in (environment / "bin").iterdir() if _PROGRAMS.fullmatch(path.name))
    yield from walk(environment / "lib", unused=frozenset({"__pycache__"}))


def list_python() -> Iterator[Path]:
    """The interpreter and its standard library."""
    yield Path(sys.executable).resolve()
    for name in ("stdlib", "platstdlib"):
        yield from walk(Path(sysconfig.get_path(name)), unused=_UNUSED)


def walk(top: Path, unused: frozenset[str] = frozenset()) -> Iterator[Path]:
    """All files and links below, or the file itself; nothing if it is not there."""
    if not top.is_dir():
        yield from [top] if top.exists() else []
        return
    for folder, folders, names in os.walk(top):
        folders[:] = [
            name for name in folders if name not in unused and not name.startswith("config-")
        ]
        yield from (Path(folder, name) for name in names if not name.endswith((".pyc", ".a")))
        yield from (path for name in folders if (path := Path(folder, name)).is_symlink())


def list_libraries(files: list[Path]) -> Iterator[Path]:
    """The shared libraries that programs and libraries among the files need."""
    needing = [str(path) for path in files if is_elf(path)]
    told = subprocess.run(  # noqa: S603
        ["/usr/bin/ldd", *needing], capture_output=True, text=True, check=False
    ).stdout
    found = {Path(one) for one in re.findall(r"(?:=> |^\t)(/\S+) \(0x", told, re.MULTILINE)}
    yield from sorted(found)
    yield from {path.with_name(_LOADED_BY_NAME) for path in found if path.name == "libc.so.6"}


def is_elf(path: Path) -> bool:
    """Whether the kernel or the loader would take it."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def place(root: Path, path: Path) -> Path:
    """Where a file of this system lies in the root, links among its folders followed."""
    return root / resolve(path.parent).relative_to("/") / path.name


@functools.cache
def resolve(folder: Path) -> Path:
    """Without links."""
    return folder.resolve()


def copy(path: Path, root: Path) -> None:
    """One file, or a link and what it leads to, with the links among the folders above."""
    for above in reversed(path.parents):
        if above.is_symlink():
            copy_itself(above, root)
    copy_itself(path, root)
    if path.is_symlink() and path.resolve().is_file():
        copy(path.parent / path.readlink(), root)


def copy_itself(path: Path, root: Path) -> None:
    """Without what it leads to, if it is a link."""
    copied = place(root, path)
    if not os.path.lexists(copied):
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied, follow_symlinks=False)


def describe_packages(root: Path) -> None:
    """What dpkg says of the packages that the files are from, where scanners look for it.

    Each package's licence goes with it.
    """
    owners = read_owners()
    collected = (Path("/", path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    names = {owners[path] for path in collected if path in owners}
    for name in names:
        licence = Path("/usr/share/doc", name, "copyright")
        if licence.exists():
            copy(licence, root)
    stanzas = (_DPKG / "status").read_text("utf-8").split("\n\n")
    kept = [one for one in stanzas if one.partition("\n")[0].removeprefix("Package: ") in names]
    status = root / _DPKG.relative_to("/") / "status"
    status.parent.mkdir(parents=True)
    status.write_text("\n\n".join(sorted(kept)) + "\n", "utf-8")


def read_owners() -> dict[Path, str]:
    """The package of each file that dpkg installed."""
    owners: dict[Path, str] = {}
    for listing in (_DPKG / "info").glob("*.list"):
        for line in listing.read_text("utf-8").splitlines()[1:]:
            path = Path(line)
            owners[resolve(path.parent) / path.name] = listing.stem.partition(":")[0]
    return owners


def compile_all(root: Path) -> None:
    """So that the start need not, where nothing may be written; the sources' times do not count."""
    done = compileall.compile_dir(
        root, maxlevels=30, quiet=1, stripdir=str(root), prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip
    if not done:
        sys.exit("not everything could be compiled")


if __name__ == "__main__":
    main()
