"""What is pinned is compared with advisories, recorded ones and those of a live source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from packaging.utils import canonicalize_name
from packaging.version import Version

from supply import audit
from supply.advisories import Advisory, Record, find
from supply.pins import Pin, read_pins
from tests.conftest import ROOT

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def _pin(name: str, version: str) -> Pin:
    return Pin(canonicalize_name(name), Version(version))


def _advise(*events: dict[str, str], **changes: str) -> Advisory:
    affected = {
        "package": {"ecosystem": "PyPI", "name": "Some.Package"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return Advisory.model_validate({"id": "GHSA-1", "affected": [affected], **changes})


def _run(lock: Path) -> tuple[int, str]:
    done = CliRunner().invoke(audit.main, [str(lock)])
    return done.exit_code, done.output


def test_nothing_is_pinned_that_an_advisory_is_about() -> None:
    """By the recorded advisories."""
    done = CliRunner().invoke(audit.main, [])
    assert done.exit_code == 0, done.output
    assert "0 advisories" in done.output


def test_a_planted_vulnerable_version_is_found(tmp_path: Path) -> None:
    """With the package, the advisory and the version to take; the exit code says it, too."""
    text = (ROOT / "requirements" / "run.lock").read_text("utf-8")
    (good,) = [one for one in read_pins(text) if one.name == "h11"]
    planted = tmp_path / "planted.lock"
    planted.write_text(text.replace(f"h11=={good.version}", "h11==0.14.0"))
    code, output = _run(planted)
    assert code == 1
    (line,) = [one for one in output.splitlines() if one.startswith("h11 0.14.0: ")]
    assert "GHSA-vqfr-h8mv-ghfj" in line
    assert "fixed in 0.16.0" in line


def test_the_lock_before_the_last_finding_is_found(tmp_path: Path) -> None:
    """The audit's first: pillow 12.3.0."""
    lock = tmp_path / "old.lock"
    lock.write_text("pillow==12.3.0 \\\n    --hash=sha256:00\n")
    code, output = _run(lock)
    assert code == 1
    assert "pillow 12.3.0: CVE-2026-112403" in output
    assert "fixed in 13.0.0" in output


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("0.9", False), ("1.0", True), ("1.4.9", True), ("1.5rc1", True), ("1.5", False),
        ("1.9", False), ("2.0", True), ("2.1", True), ("2.2", False),
    ],
)  # fmt: skip
def test_a_range_ends_where_it_was_fixed(version: str, affected: bool) -> None:
    """Several may follow each other; the last affected version is one."""
    told = _advise(
        {"introduced": "2.0"}, {"last_affected": "2.1"}, {"introduced": "1.0"}, {"fixed": "1.5"}
    )
    assert (find(told, _pin("some-package", version)) is not None) is affected


def test_zero_is_before_every_version() -> None:
    """Development versions among them; where nothing is fixed, that is said."""
    found = find(_advise({"introduced": "0"}), _pin("some-package", "0.0.dev1"))
    assert found is not None
    assert found.fixed is None
    assert "no fixed version is known" in str(found)


def test_versions_may_be_listed_one_by_one() -> None:
    """Where there are no ranges."""
    affected = {"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1.0", "1.2"]}
    told = Advisory.model_validate({"id": "GHSA-1", "affected": [affected]})
    assert find(told, _pin("a", "1.2")) is not None
    assert find(told, _pin("a", "1.1")) is None


@pytest.mark.parametrize(
    "told",
    [
        _advise({"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z"),
        Advisory.model_validate(
            {
                "id": "GHSA-1",
                "affected": [
                    {
                        "package": {"ecosystem": "npm", "name": "some-package"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
                    }
                ],
            }
        ),
    ],
)
def test_what_is_withdrawn_or_of_another_ecosystem_is_about_nothing(told: Advisory) -> None:
    """Its name may be the same."""
    assert find(told, _pin("some-package", "1.0")) is None


def test_a_version_that_cannot_be_read_is_an_error() -> None:
    """It is never passed over."""
    with pytest.raises(ValueError, match="'one' where a version"):
        find(_advise({"introduced": "one"}), _pin("some-package", "1.0"))


def _make_source(
    pages: dict[str, list[dict[str, Any]]],
) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        query = httpx.Response(200, content=request.content).json()
        assert query["package"]["ecosystem"] == "PyPI"
        found = pages.get(query["package"]["name"], [])
        at = int(query.get("page_token", 0))
        more = {"next_page_token": str(at + 1)} if at + 1 < len(found) else {}
        return httpx.Response(200, json={**({"vulns": [found[at]]} if found else {}), **more})

    return answer


def test_the_live_source_is_asked_about_every_package(tmp_path: Path) -> None:
    """Page after page; what is written is what is read again, and is found by."""
    told = [
        _advise({"introduced": "0"}, {"fixed": "2.0"}).model_dump(exclude_defaults=True)
        | {"id": name, "details": "a long text", "database_specific": {"much": "more"}}
        for name in ("GHSA-2", "GHSA-1")
    ]
    pins = [_pin("some-package", "1.0"), _pin("other", "1.0")]
    transport = httpx.MockTransport(_make_source({"some-package": told}))
    with httpx.Client(transport=transport, base_url="https://advisories.example") as client:
        record = audit.ask(pins, client, NOW)
    path = tmp_path / "advisories.json"
    audit.write(record, path)
    assert Record.model_validate_json(path.read_bytes()) == record
    assert (record.recorded, record.asked) == ("2026-11-27", ("other", "some-package"))
    assert record.complete
    assert "much" not in path.read_text("utf-8")
    assert [found.advisory.id for found in audit.audit(pins, record)] == ["GHSA-1", "GHSA-2"]


def test_a_source_that_refuses_is_an_error() -> None:
    """Nothing is recorded then."""
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    with (
        httpx.Client(transport=transport, base_url="https://advisories.example") as client,
        pytest.raises(httpx.HTTPStatusError),
    ):
        audit.ask([_pin("a", "1")], client, NOW)


def test_the_record_says_of_when_it_is_and_what_it_lacks() -> None:
    """So that nobody takes an old or partial one for an answer."""
    pins = [_pin("a", "1"), _pin("b", "1")]
    old = f"{NOW - timedelta(days=31):%Y-%m-%d}"
    record = Record(recorded=old, source="x", complete=False, asked=("a",), advisories=())
    told = audit.describe(pins, record, NOW)
    assert old in told
    assert "not complete" in told
    assert "not asked about 1 of 2 packages" in told
    assert "31 days old" in told
    fresh = record.model_copy(
        update={"recorded": "2026-11-26", "complete": True, "asked": ("a", "b")}
    )
    assert len(audit.describe(pins, fresh, NOW).splitlines()) == 1
