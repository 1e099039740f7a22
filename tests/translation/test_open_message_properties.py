"""Whatever a customer writes becomes a body that the Swagger allows, with nothing empty in it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.messages import Attachment, Author, InboundDirectMessage, InboundPost, PostReference
from actors.translation.open_message import make_private_message, make_public_message
from tests.contracts.swagger import Swagger

BULK = "/api/v2/socialmedia/topics/t/dataingestionrules/open/r/messages/bulk"
INBOUND = "/api/v2/conversations/messages/i/inbound/open"

TEXTS = st.text(max_size=20)
ATTACHMENTS = st.builds(
    Attachment,
    media_type=st.sampled_from(("Image", "Video", "Audio", "File", "Link")),
    url=st.text(min_size=1, max_size=20),
    mime=st.none() | TEXTS,
    text=st.none() | TEXTS,
    filename=st.none() | TEXTS,
)
AUTHORS = st.builds(
    Author,
    did=st.text(min_size=1),
    handle=TEXTS,
    display_name=st.none() | TEXTS,
    avatar=st.none() | TEXTS,
)
REFERENCES = st.builds(PostReference, uri=st.text(min_size=1), cid=TEXTS)
TIMES = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    post=st.builds(
        InboundPost,
        post=REFERENCES,
        root=REFERENCES,
        parent_uri=st.none() | TEXTS,
        author=AUTHORS,
        text=TEXTS,
        created_at=TIMES,
        url=st.text(min_size=1).filter(str.strip),
        reason=st.sampled_from(("mention", "reply", "quote", "search")),
        mentioned_dids=st.lists(st.text(min_size=1), max_size=3).map(tuple),
        attachments=st.lists(ATTACHMENTS, max_size=2).map(tuple),
        metadata=st.dictionaries(TEXTS, TEXTS, max_size=3),
        kind=st.just("inbound_post"),
    )
)
def test_every_post_becomes_a_body_that_the_swagger_allows(
    swagger: Swagger, post: InboundPost
) -> None:
    body = make_public_message(post)
    assert swagger.check_request("POST", BULK, [body]) == []
    assert _find_empty(body) == []
    assert "text" in body or "content" in body


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    message=st.builds(
        InboundDirectMessage,
        message_id=st.text(min_size=1),
        convo_id=TEXTS,
        author=AUTHORS,
        text=TEXTS,
        sent_at=TIMES,
        attachments=st.lists(ATTACHMENTS, max_size=2).map(tuple),
        metadata=st.dictionaries(TEXTS, TEXTS, max_size=3),
        kind=st.just("inbound_direct_message"),
    )
)
def test_every_direct_message_becomes_a_body_that_the_swagger_allows(
    swagger: Swagger, message: InboundDirectMessage
) -> None:
    body = make_private_message(message)
    assert swagger.check_request("POST", f"{INBOUND}/message", body) == []
    assert _find_empty(body) == []
    assert "text" in body or "content" in body


def _find_empty(value: object, where: str = "body") -> list[str]:
    """Where an empty text, list or object is: the platform refuses them in places."""
    found = [where] if value in ("", [], {}, None) else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _find_empty(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _find_empty(inner, f"{where}[{index}]")
    return found
