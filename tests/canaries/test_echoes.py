"""What a platform says of an error names what is wrong, and repeats nobody's words."""

from __future__ import annotations

import httpx
import pytest

from actors.bluesky.errors import make_fault as make_bluesky_fault
from actors.echoes import conceal_echoes
from actors.genesys.faults import make_fault as make_genesys_fault
from runtime.errors import Effect, Fault

BODY = {"text": "where is my Parcel 17?", "from": [{"nickname": "Doctor Who"}], "count": 4000}


def answer(status: int, body: object) -> httpx.Response:
    request = httpx.Request("POST", "https://x.example/messages", json=BODY)
    return httpx.Response(status, json=body, request=request)


def bluesky(response: httpx.Response) -> Fault:
    return make_bluesky_fault(response, lost=Effect.UNKNOWN, now_s=0.0)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "text “where is my parcel 17?” is too long: 4000",
            "text “… is my … 17?” is too long: 4000",
        ),
        ("nickname must not be DOCTOR who", "nickname must not be … …"),
        ("the messageId is missing", "the messageId is missing"),
    ],
)
def test_words_of_the_request_are_left_out(said: str, told: str) -> None:
    """Whatever the case; names of fields and numbers stay."""
    assert conceal_echoes(said, answer(400, {}).request) == told


def test_a_request_that_is_no_json_has_no_words() -> None:
    """A file, a form, nothing."""
    for content in (b"", b"\\x89PNG", b"[" * 100_000):
        request = httpx.Request("POST", "https://x.example/", content=content)
        assert conceal_echoes("the blob is too big", request) == "the blob is too big"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_of_a_server_in_trouble_only_the_code_is_told(status: int) -> None:
    """What it says then may be anything."""
    genesys = {"code": "oops", "message": "Parcel and a dump", "status": status}
    for fault in (
        make_genesys_fault(answer(status, genesys)),
        bluesky(answer(status, {"error": "Oops", "message": "Parcel and a dump"})),
    ):
        assert "dump" not in str(fault)
        assert "oops" in str(fault).lower()


def test_a_refusal_says_what_is_wrong() -> None:
    """Without the words that were sent."""
    said = "record/text: Parcel must not be longer"
    genesys = {"code": "bad.request", "message": said, "status": 400}
    for fault in (
        make_genesys_fault(answer(400, genesys)),
        bluesky(answer(400, {"error": "InvalidRequest", "message": said})),
    ):
        assert "must not be longer" in str(fault)
        assert "Parcel" not in str(fault)
