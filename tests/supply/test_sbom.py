"""The SBOM tells what is there, all of it, as CycloneDX would have it."""

from __future__ import annotations

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pip._internal.models.index import PyPI

from supply import sbom
from supply.pins import read_pins
from tests.conftest import ROOT

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u13
Description: GNU C Library
 with another line

Package: zlib1g
Status: install ok installed
Architecture: amd64
Version: 1:1.2.13.dfsg-1
"""


def _list_shipped() -> list[Distribution]:
    """Of the packages here, those that the image has, and the connector."""
    shipped = {pin.name for pin in read_pins(_read_lock(), {})} | {sbom.PROJECT}
    return [one for one in distributions() if one.name.lower().replace("_", "-") in shipped]


def _read_lock() -> str:
    return (ROOT / "requirements" / "run.lock").read_text("utf-8")


@pytest.fixture(scope="module")
def text() -> str:
    """The SBOM of the packages here."""
    return sbom.write_bom(sbom.make_bom(_list_shipped(), "3.11.2", STATUS))


@pytest.fixture(scope="module")
def told(text: str) -> dict[str, Any]:
    """The same, read."""
    return dict(json.loads(text))


def test_it_meets_the_schema(text: str) -> None:
    """That of CycloneDX 1.6; and the validation would notice if it did not."""
    assert sbom.validate(text) == []
    assert sbom.validate(text.replace('"type": "library"', '"type": "books"', 1)) != []


def test_everything_that_is_pinned_is_in_it(told: dict[str, Any]) -> None:
    """In the pinned version, each with its package URL, and what it is about is the connector."""
    purls = {one["purl"] for one in told["components"]}
    pinned = {f"pkg:pypi/{pin.name}@{pin.version}" for pin in read_pins(_read_lock(), {})}
    assert len(pinned) > 40
    assert pinned <= purls
    assert told["metadata"]["component"]["name"] == sbom.PROJECT
    assert told["metadata"]["component"]["type"] == "application"
    (wanted,) = [
        one["dependsOn"] for one in told["dependencies"] if one["ref"].startswith(sbom.PROJECT)
    ]
    assert {one.partition("@")[0] for one in wanted} >= {"trio", "httpx", "cryptography", "python"}


def test_python_and_debian_packages_are_in_it(told: dict[str, Any]) -> None:
    """They are in the image as well."""
    purls = {one["purl"] for one in told["components"]}
    assert "pkg:generic/python@3.11.2" in purls
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64" in purls
    assert "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64" in purls


def test_no_package_index_is_in_it(text: str) -> None:
    """Packages are told by name and version, wherever they were taken from."""
    assert PyPI.netloc not in text
    assert PyPI.file_storage_domain not in text
    assert str(ROOT) not in text


def _make_root(root: Path, *versions: str) -> Path:
    environment = root / sbom.ENVIRONMENT
    for name_version in versions:
        name, _, version = name_version.partition("==")
        info = environment / f"lib/python3.11/site-packages/{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    return root


def test_an_image_that_is_not_as_pinned_is_told(tmp_path: Path) -> None:
    """What is missing, what is there besides, and what is there in another version."""
    environment = {"python_version": "3.11", "python_full_version": "3.11.2"}
    pins = {str(pin.name): str(pin.version) for pin in read_pins(_read_lock(), environment)}
    pins |= {"h11": "0.14.0", "stowaway": "1.0", "bluesky-genesys": "1.0.0"}
    del pins["trio"]
    root = _make_root(tmp_path / "root", *(f"{name}=={version}" for name, version in pins.items()))
    done = CliRunner().invoke(sbom.main, [str(root), str(tmp_path / "sbom.json")])
    assert done.exit_code == 1
    told = done.output
    assert "in the image, and not pinned: h11 0.14.0" in told
    assert "in the image, and not pinned: stowaway 1.0" in told
    assert "pinned, and not in the image: trio" in told
    assert "2 Debian packages" in told


def test_an_image_without_the_connector_is_told(tmp_path: Path) -> None:
    """It is what the SBOM is about."""
    assert f"not in the image: {sbom.PROJECT}" in sbom.compare([], set())
