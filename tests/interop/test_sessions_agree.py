"""Sessions: what the connector relies on holds in the network and in the sandbox alike."""

from __future__ import annotations

from tests.interop.places import Place, refused

POST = "app.bsky.feed.post"


async def test_a_wrong_password_is_told_by_name(place: Place) -> None:
    """A login that can never work is 401 ``AuthenticationRequired``, known account or not."""
    brand = await place.make_account("brand")
    expected = (401, "AuthenticationRequired", "Invalid identifier or password")
    assert await refused(brand.log_in(brand.handle, "wrong")) == expected
    assert await refused(brand.log_in("nobody.test", "wrong")) == expected


async def test_an_expired_token_is_a_400_with_a_name(place: Place) -> None:
    """It is not a 401; the refresh token then gives a pair that works."""
    brand = await place.make_account("brand")
    await place.limit_access(-5)
    await brand.renew()
    expected = (400, "ExpiredToken", "Token has expired")
    assert await refused(brand.list_notifications()) == expected
    assert await refused(brand.create(POST, {"text": "late"})) == expected
    assert await refused(brand.get("chat.bsky.convo.getLog")) == expected
    await place.limit_access(600)
    await brand.renew()
    assert await brand.list_notifications() == []


async def test_a_refresh_whose_answer_was_lost_can_be_repeated(place: Place) -> None:
    """A used refresh token works again for a while."""
    brand = await place.make_account("brand")
    used = brand.refresh
    await brand.renew()
    brand.refresh = used
    await brand.renew()
    assert await brand.list_notifications() == []


async def test_a_closed_session_asks_for_a_new_login(place: Place) -> None:
    """Refreshing a deleted session is refused by the very name of an expired token."""
    brand = await place.make_account("brand")
    await brand.send("POST", "com.atproto.server.deleteSession", token=brand.refresh)
    assert await refused(brand.renew()) == (400, "ExpiredToken", "Token has been revoked")


async def test_wrong_tokens_have_names(place: Place) -> None:
    """None, garbage, and the one for the other purpose."""
    brand = await place.make_account("brand")
    nsid = "app.bsky.notification.listNotifications"
    unverified = (400, "InvalidToken", "Token could not be verified")
    assert (await refused(brand.send("GET", nsid, token="")))[:2] == (401, "AuthMissing")
    assert await refused(brand.send("GET", nsid, token=brand.refresh)) == unverified
    brand.refresh = brand.access
    assert await refused(brand.renew()) == unverified


async def test_an_app_password_without_messages_is_told_apart(place: Place) -> None:
    """It logs in and reads notifications; chat alone is refused."""
    brand = await place.make_account("brand")
    await brand.log_in(brand.handle, await place.make_app_password(brand))
    assert await brand.list_notifications() == []
    expected = (400, "InvalidToken", "Bad token method")
    assert await refused(brand.get("chat.bsky.convo.listConvos")) == expected
    assert await refused(brand.get("chat.bsky.convo.getLog")) == expected
