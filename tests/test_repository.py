"""The files around the code agree with it, and carry nothing that is not the project's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI

from connector.environment import load_settings
from connector.settings import ACTOR_FIELDS, ActorSettings, Settings

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN = PROJECT["project"]["dependencies"]
OTEL = PROJECT["project"]["optional-dependencies"]["otel"]
DEV = PROJECT["project"]["optional-dependencies"]["dev"]


def _read_pins(lock: str) -> list[Requirement]:
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    lines = (line for line in text.splitlines() if line and line[0] not in " #")
    return [Requirement(line.rstrip("\\ ")) for line in lines]


def _read_version(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    return specifier.version


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("build.lock", PROJECT["build-system"]["requires"]),
        ("run.lock", RUN),
        ("otel.lock", RUN + OTEL),
        ("dev.lock", RUN + OTEL + DEV),
    ],
)
def test_a_lock_pins_what_pyproject_asks_for(lock: str, wanted: list[str]) -> None:
    """``scripts/lock`` was run after the last change of the dependencies."""
    pins = _read_pins(lock)
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        versions = [_read_version(pin) for pin in pins if canonicalize_name(pin.name) == name]
        assert versions, f"{lock} has no {name}"
        assert all(map(requirement.specifier.contains, versions)), f"{name}: {versions}"


@pytest.mark.parametrize("lock", ["build.lock", "run.lock", "otel.lock", "dev.lock"])
def test_a_lock_names_versions_and_hashes_and_no_address(lock: str) -> None:
    """What is installed is told by its hash, wherever it comes from."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    blocks = re.split(r"\n(?=\S)", text)
    assert all("==" in block and "--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)


def test_the_same_versions_are_tested_and_shipped() -> None:
    """The packages that the tools run with are those of the image."""
    # On which platforms a package is needed may differ: the tools may need it on more.
    shipped, tested = (
        {(pin.name, str(pin.specifier)) for pin in _read_pins(lock)}
        for lock in ("run.lock", "dev.lock")
    )
    assert shipped <= tested


def _read_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    found = (re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]+)=(\S*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_the_example_lists_every_variable() -> None:
    """``.env.example`` has each variable of the settings, and no other."""
    plain = {name.upper() for name in Settings.model_fields if name not in ACTOR_FIELDS}
    knobs = {
        f"{actor}_{knob}".upper() for actor in ACTOR_FIELDS for knob in ActorSettings.model_fields
    }
    assert set(_read_example()) == plain | knobs


def test_the_example_shows_the_defaults() -> None:
    """Its values, taken as they are, change nothing."""
    required = {
        name.upper(): f"{name.replace('_', '-')}.example"
        for name, field in Settings.model_fields.items()
        if field.is_required()
    }
    assert load_settings({**_read_example(), **required}) == load_settings(required)


def test_the_image_is_built_on_a_base_of_the_builders_choice() -> None:
    """What builds names the argument, what is shipped is built on nothing; no address is named."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert lines[:2] == ["ARG BASE_IMAGE=python:3.11-slim-bookworm", "FROM ${BASE_IMAGE} AS build"]
    stages = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert stages == ["${BASE_IMAGE}", "scratch"]
    addresses = re.findall(r"https?://([^/'\"\s]+)", "\n".join(lines))
    assert set(addresses) <= {"127.0.0.1:"}


def test_no_file_names_a_package_index_or_this_machine() -> None:
    """A clone works wherever it lies, with whatever index its machine is set to."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the files of the project cannot be told from others")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    forbidden = [PyPI.netloc, PyPI.file_storage_domain, str(ROOT) + os.sep]
    found = [
        f"{name}: {word}"
        for name in filter(None, listed.split("\0"))
        if (path := ROOT / name).is_file()
        for word in forbidden
        if word.encode() in path.read_bytes()
    ]
    assert found == []
