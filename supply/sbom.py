"""``scripts/sbom``: what is in the image, as CycloneDX tells it.

From what lies in the image's root file system, not from what was meant to be there: the packages of
its Python environment, Python itself, and the Debian packages that files were collected from.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path

import click
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from supply.pins import Pin, read_pins

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = Path("opt/bluesky-genesys")
PROJECT = "bluesky-genesys"
_LICENCE = "licence as its metadata has it"


@click.command()
@click.argument("root", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--lock", default="run", help="run, or otel for an image made with LOCK=otel.")
def main(root: Path, target: Path, lock: str) -> None:
    """Write what is in the image that is unpacked in ROOT to TARGET.

    Exit 1 if a package that the lock pins is not in it in that version, or one that it does not pin
    is, or if what was written does not meet CycloneDX' schema.
    """
    environment = root / ENVIRONMENT
    (site_packages,) = environment.glob("lib/python3.*/site-packages")
    python = read_python_version(environment)
    installed = list(distributions(path=[str(site_packages)]))
    status = root / "var/lib/dpkg/status"
    bom = make_bom(installed, python, status.read_text("utf-8"))
    text = write_bom(bom)
    target.write_text(text, "utf-8")
    pinned = read_pins(
        (ROOT / "requirements" / f"{lock}.lock").read_text("utf-8"),
        {"python_version": python.rpartition(".")[0], "python_full_version": python},
    )
    problems = [*compare(installed, set(pinned)), *validate(text)]
    for problem in problems:
        click.echo(problem)
    debian = sum(one.purl is not None and one.purl.type == "deb" for one in bom.components)
    click.echo(f"{len(installed)} Python packages, Python {python}, {debian} Debian packages")
    sys.exit(1 if problems else 0)


def make_bom(installed: list[Distribution], python: str, dpkg_status: str) -> Bom:
    """The connector as what it is about, and everything else as its components.

    Args:
        installed: the packages of the Python environment, the connector among them.
        python: its version.
        dpkg_status: dpkg's own list of packages.
    """
    bom = Bom()
    packages = {canonicalize_name(one.name): one for one in installed}
    components = {name: _describe(one) for name, one in packages.items()}
    interpreter = Component(
        name="python",
        version=python,
        type=ComponentType.PLATFORM,
        bom_ref=f"python@{python}",
        purl=PackageURL("generic", None, "python", python),
    )
    debian = list(_read_debian(dpkg_status))
    bom.metadata.component = components[canonicalize_name(PROJECT)]
    bom.components.update(set(components.values()) - {bom.metadata.component})
    bom.components.update([interpreter, *debian])
    for name, package in packages.items():
        wanted = [components[one] for one in _list_wanted(package) if one in components]
        bom.register_dependency(components[name], wanted)
    bom.register_dependency(bom.metadata.component, [interpreter])
    bom.register_dependency(interpreter, debian)
    return bom


def _describe(package: Distribution) -> Component:
    name = canonicalize_name(package.name)
    fields = package.metadata
    named = (fields[key] for key in ("License-Expression", "License") if key in fields)
    licence = next(named, "")
    return Component(
        name=name,
        version=package.version,
        type=ComponentType.APPLICATION if name == PROJECT else ComponentType.LIBRARY,
        bom_ref=f"{name}@{package.version}",
        purl=PackageURL("pypi", None, name, package.version),
        # A property, since not every package names its licence by SPDX; some put in its whole text.
        properties=[Property(name=_LICENCE, value=licence)] if 0 < len(licence) < 80 else [],
    )


def _list_wanted(package: Distribution) -> Iterator[NormalizedName]:
    for text in package.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def _read_debian(status: str) -> Iterator[Component]:
    for stanza in filter(str.strip, status.split("\n\n")):
        fields = HeaderParser().parsestr(stanza)
        name, version, architecture = (
            str(fields[key]) for key in ("Package", "Version", "Architecture")
        )
        yield Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"debian/{name}@{version}",
            purl=PackageURL("deb", "debian", name, version, {"arch": architecture}),
        )


def write_bom(bom: Bom) -> str:
    """As JSON of CycloneDX 1.6."""
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def validate(text: str) -> list[str]:
    """What is wrong with it by CycloneDX' own schema."""
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
    return [f"not CycloneDX: {error.data}" for error in errors or ()]


def compare(installed: list[Distribution], pinned: set[Pin]) -> list[str]:
    """How the packages that are there differ from those that are pinned, the connector aside."""
    found = {f"{canonicalize_name(one.name)} {one.version}" for one in installed}
    wanted = {f"{pin.name} {pin.version}" for pin in pinned}
    project = {one for one in found if one.startswith(f"{PROJECT} ")}
    return [
        *(f"pinned, and not in the image: {one}" for one in sorted(wanted - found)),
        *(f"in the image, and not pinned: {one}" for one in sorted(found - wanted - project)),
        *([] if project else [f"not in the image: {PROJECT}"]),
    ]


def read_python_version(environment: Path) -> str:
    """Of a virtual environment, without running it: ``3.11.2``."""
    for line in (environment / "pyvenv.cfg").read_text("utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return value.strip()
    raise ValueError(f"{environment}/pyvenv.cfg does not tell the version of Python")


if __name__ == "__main__":
    main()
