"""The connector never leaves it unchecked whom it speaks to."""

from __future__ import annotations

import re
import ssl

import pytest

from actors.media.fetcher import make_http
from connector.clients import open_http
from connector.environment import load_settings
from tests.conftest import ROOT

OFF = re.compile(
    r"verify\s*=\s*False|CERT_NONE|CERT_OPTIONAL|check_hostname\s*=\s*False"
    r"|_create_unverified_context|ssl_cert_reqs|tlsAllowInvalid|PYTHONHTTPSVERIFY"
)
REQUIRED = {
    "BLUESKY_HANDLE": "acme.example",
    "BLUESKY_APP_PASSWORD": "x",
    "GC_REGION": "mypurecloud.com",
    "GC_CC_CLIENT_ID": "x",
    "GC_CC_CLIENT_SECRET": "x",
    "GC_INTEGRATION_ID": "x",
    "GC_WEBHOOK_SECRET": "x",
    "GC_SOCIAL_TOPIC_ID": "x",
    "GC_SOCIAL_RULE_ID": "x",
}


def test_nothing_in_the_code_turns_the_check_off() -> None:
    """Not for a moment, and not by a setting."""
    folders = ("actors", "connector", "runtime", "sandbox")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    files += [ROOT / "Dockerfile", ROOT / ".env.example"]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if (match := OFF.search(path.read_text("utf-8")))
    ]
    assert len(files) > 100
    assert found == []


async def test_the_clients_check_certificate_and_name() -> None:
    """Those for the platforms, and the one for files."""
    async with open_http(load_settings(REQUIRED)) as platforms, make_http("test") as files:
        for client in (platforms, files):
            context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
            assert context.verify_mode is ssl.CERT_REQUIRED
            assert context.check_hostname


@pytest.mark.parametrize("name", ["BLUESKY_SERVICE_URL", "GC_API_URL", "GC_LOGIN_URL"])
@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://api.example", False),
        ("http://10.0.0.1", False),
        ("https://user:password@api.example", False),
        ("https://api.example/?x=y", False),
        ("ftp://api.example", False),
    ],
)
def test_a_platform_is_reached_with_tls_or_on_this_machine(
    name: str, url: str, *, allowed: bool
) -> None:
    """Else the connector does not start, and says which variable is wrong."""
    if allowed:
        load_settings({**REQUIRED, name: url})
        return
    with pytest.raises(Exception, match=name):
        load_settings({**REQUIRED, name: url})


def test_plain_http_elsewhere_has_to_be_allowed() -> None:
    """For tests in a network of containers."""
    load_settings({**REQUIRED, "GC_API_URL": "http://genesys:8080", "ALLOW_PLAIN_HTTP": "true"})


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        ("one", ("one",)),
        ("old-secret, new-secret", ("old-secret", "new-secret")),
        ("old-secret,new-secret", ("old-secret", "new-secret")),
        ("secret-with,", None),
        (",secret-with", None),
        ("secret-with,1", None),
        ("secret-one,secret-two,secret-three", None),
    ],
)
def test_one_webhook_secret_or_two_and_no_half_of_one(
    value: str, secrets: tuple[str, ...] | None
) -> None:
    """A secret with a comma in it is refused, or its last bit would be one that can be guessed."""
    if secrets is not None:
        assert load_settings({**REQUIRED, "GC_WEBHOOK_SECRET": value}).webhook_secrets() == secrets
        return
    with pytest.raises(Exception, match="GC_WEBHOOK_SECRET") as caught:
        load_settings({**REQUIRED, "GC_WEBHOOK_SECRET": value})
    assert "secret-" not in str(caught.value)
