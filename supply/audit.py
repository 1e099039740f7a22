"""``scripts/audit``: is there an advisory about a version that a lock pins?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx

from supply.advisories import Advisory, Finding, Record, find
from supply.pins import Pin, read_pins

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "requirements" / "advisories.json"
SOURCE = "https://api.osv.dev"
"""Of the Open Source Vulnerabilities database, which has PyPA's advisories and GitHub's:
https://google.github.io/osv.dev/post-v1-query/"""
OLD_AFTER_DAYS = 30


@click.command()
@click.argument("locks", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--record", is_flag=True, help="Ask the live source first, and write down what it says."
)
def main(locks: tuple[Path, ...], *, record: bool) -> None:
    """Compare what LOCKS pin (all of requirements/, if none is named) with recorded advisories.

    Exit 1 if one is about a pinned version: the line says which package, which advisory, and in
    which version it is fixed.
    """
    paths = locks or tuple(sorted((ROOT / "requirements").glob("*.lock")))
    pins = sorted({pin for path in paths for pin in read_pins(path.read_text("utf-8"))})
    if record:
        with httpx.Client(base_url=SOURCE, timeout=30) as client:
            write(ask(pins, client, datetime.now(UTC)), RECORDED)
    recorded = Record.model_validate_json(RECORDED.read_bytes())
    findings = audit(pins, recorded)
    for finding in findings:
        click.echo(str(finding))
    click.echo(describe(pins, recorded, datetime.now(UTC)))
    click.echo(f"{len(findings)} advisories are about pinned versions.")
    sys.exit(1 if findings else 0)


def audit(pins: list[Pin], recorded: Record) -> list[Finding]:
    """Each advisory about each pin."""
    return [
        found
        for pin in pins
        for advisory in recorded.advisories
        if (found := find(advisory, pin)) is not None
    ]


def ask(pins: list[Pin], client: httpx.Client, now: datetime) -> Record:
    """Every advisory that there is about the packages, whatever the version.

    Raises:
        httpx.HTTPError: the source cannot be reached, or refuses.
    """
    asked = sorted({pin.name for pin in pins})
    found = {one.id: one for name in asked for one in _ask_about(name, client)}
    return Record(
        recorded=f"{now:%Y-%m-%d}",
        source=str(client.base_url),
        complete=True,
        asked=tuple(asked),
        advisories=tuple(found[key] for key in sorted(found)),
    )


def _ask_about(name: str, client: httpx.Client) -> list[Advisory]:
    query = {"package": {"name": name, "ecosystem": "PyPI"}}
    found: list[Advisory] = []
    while True:
        answer = client.post("/v1/query", json=query).raise_for_status().json()
        found += map(_keep, answer.get("vulns", ()))
        if not answer.get("next_page_token"):
            return found
        query = {**query, "page_token": answer["next_page_token"]}


def _keep(told: object) -> Advisory:
    """Without what its database says of it besides."""
    return Advisory.model_validate(told).model_copy(update={"database_specific": {}})


def write(record: Record, path: Path) -> None:
    """With a line for each advisory, so that a change is easy to read."""
    head = record.model_dump_json(exclude={"advisories"})[:-1]
    lines = ",\n".join(one.model_dump_json(exclude_defaults=True) for one in record.advisories)
    path.write_text(f'{head},"advisories":[\n{lines}\n]}}\n', "utf-8")


def describe(pins: list[Pin], recorded: Record, now: datetime) -> str:
    """Of when the record is, and what it does not tell."""
    names = {pin.name for pin in pins}
    unasked = names - set(recorded.asked)
    age = (now - datetime.fromisoformat(f"{recorded.recorded}T00:00:00+00:00")).days
    against = f"{len(recorded.advisories)} advisories of {recorded.recorded}"
    told = [f"{len(pins)} pins against {against}, from {recorded.source}."]
    if not recorded.complete:
        told.append("The record is not complete: scripts/audit --record makes one that is.")
    if unasked:
        told.append(f"It was not asked about {len(unasked)} of {len(names)} packages.")
    if age > OLD_AFTER_DAYS:
        told.append(f"It is {age} days old: scripts/audit --record makes a new one.")
    return "\n".join(told)


if __name__ == "__main__":
    main()
