"""Uploads, and where their bytes are served."""

from __future__ import annotations

import httpx
import pytest

from sandbox.bluesky import Account, BlueskyNetwork, Image
from tests.sandbox.bluesky.client import Client, Session, make_post

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
UPLOAD = "com.atproto.repo.uploadBlob"
GET_BLOB = "com.atproto.sync.getBlob"
CREATE = "com.atproto.repo.createRecord"


async def upload(session: Session, content: bytes, kind: str | None) -> httpx.Response:
    headers = {"authorization": f"Bearer {session.access}"}
    if kind is not None:
        headers["content-type"] = kind
    return await session.client.http.post(f"/xrpc/{UPLOAD}", content=content, headers=headers)


def with_images(*blobs: object) -> dict[str, object]:
    images = [{"image": blob, "alt": ""} for blob in blobs]
    return make_post(embed={"$type": "app.bsky.embed.images", "images": images})


async def refused_images(session: Session, *blobs: object) -> tuple[int, str, str]:
    body = {"repo": session.did, "collection": "app.bsky.feed.post", "record": with_images(*blobs)}
    return await session.refused(CREATE, body=body)


async def test_an_uploaded_image_is_served_once_a_post_shows_it(
    client: Client, session: Session, base_url: str
) -> None:
    """The original by getBlob, and the urls of the view on this same server."""
    blob = client.check(UPLOAD, await upload(session, PNG, "image/png"))["blob"]
    where = {"did": session.did, "cid": blob["ref"]["$link"]}
    early = await client.http.get(f"/xrpc/{GET_BLOB}", params=where)
    assert (early.status_code, early.json()["message"]) == (400, "Blob not found")
    posted = await session.create(with_images(blob))
    (post,) = (await session.get("app.bsky.feed.getPosts", uris=[posted["uri"]]))["posts"]
    (image,) = post["embed"]["images"]
    assert image["fullsize"].startswith(f"{base_url}/img/feed_fullsize/plain/{session.did}/")
    for url in (image["thumb"], image["fullsize"]):
        shown = await client.http.get(url)
        assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    original = await client.http.get(f"/xrpc/{GET_BLOB}", params=where)
    assert original.content == PNG
    assert "attachment" in original.headers["content-disposition"]


async def test_the_pds_believes_the_bytes(client: Client, session: Session) -> None:
    """A PNG sent as text is a PNG; bytes it does not know keep the declared type."""
    sent = [(PNG, "text/plain", "image/png"), (b"%PDF-1.4 x", "image/png", "application/pdf")]
    sent += [(b"words", "image/png", "image/png"), (b"", "image/png", "image/png")]
    for content, declared, found in sent:
        blob = client.check(UPLOAD, await upload(session, content, declared))["blob"]
        assert (blob["mimeType"], blob["size"]) == (found, len(content))
        again = client.check(UPLOAD, await upload(session, content, declared))["blob"]
        assert again == blob


async def test_uploads_need_a_type_and_have_a_limit(session: Session) -> None:
    """400 without a content type, 413 ``PayloadTooLarge`` over 5 MiB: another name than JSON's."""
    untyped = await upload(session, PNG, None)
    assert untyped.status_code == 400
    assert untyped.json()["error"] == "InvalidRequest"
    large = await upload(session, b"x" * (5 * 1024 * 1024 + 1), "image/png")
    assert (large.status_code, large.json()["error"]) == (413, "PayloadTooLarge")


async def test_blobs_in_records_are_checked(client: Client, session: Session) -> None:
    """Unknown, misdescribed, too many, of the wrong kind."""
    blob = client.check(UPLOAD, await upload(session, PNG, "image/png"))["blob"]
    cid = "bafkreibabalobzn6cd366ukcsjycp4yymjymgfxcv6xczmlgpemzkz3cfa"
    unknown = await refused_images(session, {**blob, "ref": {"$link": cid}})
    assert unknown == (400, "BlobNotFound", f"Could not find blob: {cid}")
    assert (await refused_images(session, {**blob, "size": 3}))[1] == "InvalidSize"
    assert await refused_images(session, {**blob, "mimeType": "image/jpeg"}) == (
        400,
        "InvalidMimeType",
        "Referenced Mimetype does not match stored blob. Expected: image/png, Got: image/jpeg",
    )
    prefix = "Invalid app.bsky.feed.post record: "
    five = await refused_images(session, *[blob] * 5)
    assert five[2] == f"{prefix}array too big (maximum 4, got 5) at $.record.embed.images"
    pdf = client.check(UPLOAD, await upload(session, b"%PDF-1.4 x", "image/png"))["blob"]
    path = "$.record.embed.images[0].image"
    expected = f'{prefix}Expected "image/*" (got "application/pdf") at {path}.mimeType'
    assert (await refused_images(session, pdf))[2] == expected
    huge = client.check(UPLOAD, await upload(session, b"x" * 2_000_001, "image/png"))["blob"]
    expected = f"{prefix}blob too big (maximum 2000000, got 2000001) at {path}"
    assert (await refused_images(session, huge))[2] == expected


async def test_an_avatar_is_served_too(
    network: BlueskyNetwork, client: Client, session: Session
) -> None:
    """Profiles show its url."""
    carol = network.create_account("carol.test", password="x", avatar=Image(PNG))
    profile = await session.get("app.bsky.actor.getProfile", actor=carol.did)
    assert (await client.http.get(profile["avatar"])).content == PNG


@pytest.mark.parametrize("path", ["/img/avatar/plain/did:plc:x/bafy", "/img/x", "/nowhere"])
async def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    """Outside XRPC the usual status is used."""
    assert (await client.http.get(path)).status_code == 404


async def test_blobs_of_unknown_repositories_are_told_apart(client: Client, brand: Account) -> None:
    """``RepoNotFound`` for the account, ``Blob not found`` for the blob."""
    cid = "bafkreibabalobzn6cd366ukcsjycp4yymjymgfxcv6xczmlgpemzkz3cfa"
    did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    unknown = await client.http.get(f"/xrpc/{GET_BLOB}", params={"did": did, "cid": cid})
    assert unknown.json()["error"] == "RepoNotFound"
    missing = await client.http.get(f"/xrpc/{GET_BLOB}", params={"did": brand.did, "cid": cid})
    assert missing.json() == {"error": "InvalidRequest", "message": "Blob not found"}
