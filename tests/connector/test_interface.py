"""The HTTP interface is what ``/openapi.json`` says, tried with whatever schemathesis makes up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from openapi_spec_validator import OpenAPIV31SpecValidator

from connector.door import WEBHOOK_PATH
from connector.openapi import make_document
from connector.routes import create_app
from tests.connector.connected import open_connected

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
EXAMPLES = int(os.environ.get("INTERFACE_EXAMPLES", "25"))
"""More of them by ``scripts/fuzz``."""


def make_command(url: str, examples: int) -> list[str]:
    """The command line of schemathesis for a connector that is up."""
    program = Path(sys.executable).with_name("schemathesis")
    return [
        str(program), "run", f"{url}/openapi.json", "--url", url, "--phases", "examples,fuzzing",
        "--checks", ",".join(CHECKS), "--max-examples", str(examples), "--mode", "all",
        "--no-color", "--workers", "1", "--continue-on-failure",
    ]  # fmt: skip


def test_the_document_is_sound() -> None:
    """Judged by the parser of the OpenAPI Initiative's own schema."""
    document = make_document("1.0.0", has_metrics=True)
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())


@pytest.mark.parametrize("has_metrics", [True, False])
def test_the_document_names_every_path_and_no_other(*, has_metrics: bool) -> None:
    """A path that is served and not described could not be judged."""
    app = create_app(
        health=lambda: ({}, 200),
        metrics=(lambda: b"") if has_metrics else None,
        why_not_live=lambda: (),
        why_not_ready=lambda: (),
        document={},
    )
    served = {WEBHOOK_PATH, *(rule.rule for rule in app.url_map.iter_rules())}
    assert served == set(make_document("1.0.0", has_metrics=has_metrics)["paths"])


async def test_every_answer_is_one_that_is_described(tmp_path: Path) -> None:
    """Of the connector itself, over sockets, to requests that are right and wrong."""
    async with open_connected(tmp_path) as connected:
        done = await trio.run_process(
            make_command(connected.url, EXAMPLES),
            capture_stdout=True,
            stderr=subprocess.STDOUT,
            check=False,
            cwd=tmp_path,
        )
        receiver = await connected.actor("WebhookReceiver")
    assert done.returncode == 0, done.stdout.decode()
    # Nothing that it made up was signed.
    assert receiver["handled"] == 0
    assert receiver["skipped"]["wrong_signature"] >= EXAMPLES // 2
