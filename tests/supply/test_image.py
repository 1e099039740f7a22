"""The Dockerfile ships what is needed, without a shell, in layers that change from below seldom."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from supply import collect
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
SHIPPED = DOCKERFILE.partition("\nFROM scratch\n")[2]


def _find(text: str, *marks: str) -> list[int]:
    found = [text.find(mark) for mark in marks]
    assert -1 not in found
    return found


@pytest.mark.parametrize("instruction", ["ENTRYPOINT", "CMD", "HEALTHCHECK"])
def test_nothing_is_run_by_a_shell(instruction: str) -> None:
    """Each is a list of words, and none of them is a shell."""
    (line,) = re.findall(rf"^{instruction} .*$", SHIPPED, re.MULTILINE)
    words = json.loads(line[line.index("[") :])
    assert words
    assert not {Path(word).name for word in words} & {"sh", "bash", "dash", "env"}


def test_nothing_is_run_to_make_what_is_shipped() -> None:
    """It is copied from the stage that builds: there is nothing in it that could run it."""
    assert "RUN" not in re.findall(r"^([A-Z]+) ", SHIPPED, re.MULTILINE)


def test_the_packages_lie_below_the_code() -> None:
    """So that a change of the code keeps what was built and shipped of the packages."""
    places = _find(
        DOCKERFILE, "COPY requirements/build.lock", "COPY requirements/run.lock",
        "--require-hashes --no-deps --only-binary", "/image/packages",
        "COPY pyproject.toml", "COPY connector/", "pip wheel", "/image/connector",
    )  # fmt: skip
    assert places == sorted(places)
    layers = _find(SHIPPED, "/image/packages/ /", "/image/connector/ /")
    assert layers == sorted(layers)


def test_every_package_that_is_installed_has_a_hash() -> None:
    """But for the connector, which is built from what lies here, and from no index."""
    installs = re.findall(r"pip (?:\S+ \S+ )?install .*?(?=&&|\n)", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes --no-deps" in one for one in installs[:2])
    assert {"--no-index", "--no-deps"} <= set(installs[2].split())


def test_a_file_comes_with_the_links_that_lead_to_it(tmp_path: Path) -> None:
    """Among its folders, and from its name to what it stands for."""
    system = tmp_path / "system"
    (system / "usr/lib").mkdir(parents=True)
    (system / "usr/lib/library.so.1.2").write_text("code")
    (system / "usr/lib/library.so.1").symlink_to("library.so.1.2")
    (system / "lib").symlink_to("usr/lib")
    root = tmp_path / "root"
    collect.copy(system / "lib/library.so.1", root)
    copied = root / system.relative_to("/")
    assert (copied / "lib").readlink() == Path("usr/lib")
    assert (copied / "usr/lib/library.so.1").readlink() == Path("library.so.1.2")
    assert (copied / "lib/library.so.1").read_text() == "code"


def test_what_is_not_used_is_left_behind(tmp_path: Path) -> None:
    """Other programs of the environment, and files that were compiled elsewhere."""
    environment = tmp_path / "environment"
    for name in (
        "pyvenv.cfg", "bin/python3", "bin/bluesky-genesys", "bin/activate", "bin/flask",
        "lib/module.py", "lib/__pycache__/module.pyc",
    ):  # fmt: skip
        (environment / name).parent.mkdir(parents=True, exist_ok=True)
        (environment / name).touch()
    found = {str(path.relative_to(environment)) for path in collect.list_environment(environment)}
    assert found == {"pyvenv.cfg", "bin/python3", "bin/bluesky-genesys", "lib/module.py"}
