"""Where the tokens of the account go."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from actors.bluesky.tokens import read_session

DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
ENTRYWAY = "https://bsky.social"


def find_service(
    endpoint: object, *, login_at: str = ENTRYWAY, changes: Mapping[str, object] | None = None
) -> str:
    """Where calls go after a login whose DID document names this server."""
    entry = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer"} | {
        "serviceEndpoint": endpoint
    }
    document = {"id": DID, "service": [entry]} | dict(changes or {})
    answer = {
        "did": DID,
        "handle": "acme.example",
        "accessJwt": "a",
        "refreshJwt": "r",
        "didDoc": document,
    }
    return read_session(answer, login_at, 0.0).service


def test_the_accounts_own_server_is_used() -> None:
    """The one that its DID document names."""
    assert find_service("https://pds.example/") == "https://pds.example"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://pds.example",
        "ftp://pds.example",
        "https://",
        "https://user:password@pds.example",
        "https://bsky.social@evil.example",
        "https://pds.example/path",
        "https://pds.example?x=y",
        "https://pds.example#x",
        "https://127.0.0.1",
        "https://[::1]",
        "https://localhost",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[fd00::1]",
        "https://[::ffff:10.0.0.1]",
        "https://metadata.google.internal",
        "https://[::1",
        "pds.example",
        "",
        None,
        7,
        ["https://pds.example"],
    ],
)
def test_no_place_that_is_less_safe_gets_a_token(endpoint: object) -> None:
    """They go on going where we logged in."""
    assert find_service(endpoint) == ENTRYWAY


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "did:plc:somebodyelse"},
        {"service": [{"id": "#evil_atproto_pds", "serviceEndpoint": "https://evil.example"}]},
        {"service": [{"id": "did:x#atproto_pds", "serviceEndpoint": "https://evil.example"}]},
        {"service": {"id": "#atproto_pds", "serviceEndpoint": "https://evil.example"}},
        {"service": "https://evil.example"},
    ],
)
def test_nothing_else_in_a_document_gets_a_token(changes: dict[str, object]) -> None:
    """Another account's document, another service, another shape."""
    assert find_service("https://pds.example", changes=changes) == ENTRYWAY


def test_a_network_on_this_machine_may_be_on_it_altogether() -> None:
    """For tests against a server on loopback, whose document names loopback."""
    local = "http://127.0.0.1:2583"
    assert find_service("http://localhost:2584", login_at=local) == "http://localhost:2584"
