"""The token has one owner: one login for all, renewed in time, and never a login in a loop."""

from __future__ import annotations

import itertools

import httpx
import pytest
import trio
from trio.testing import MockClock

from actors.genesys.token import HOLD_OFF_S, LONGEST_HOLD_OFF_S, TokenKeeper
from runtime.errors import AuthRejected, RateLimited, Retryable
from tests.genesys.fake_platform import CLIENT_SECRET, FakeGenesys


async def test_all_who_ask_at_once_share_one_login(
    genesys: FakeGenesys, tokens: TokenKeeper
) -> None:
    got: set[str] = set()

    async def ask() -> None:
        got.add(await tokens.get())

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(ask)
    assert got == {"token-1"}
    assert genesys.logins == 1


async def test_a_token_is_renewed_before_it_expires(
    genesys: FakeGenesys, tokens: TokenKeeper, mock_clock: MockClock
) -> None:
    genesys.expires_in = 3600
    assert await tokens.get() == "token-1"
    mock_clock.jump(3539)
    assert await tokens.get() == "token-1"
    mock_clock.jump(1)
    assert await tokens.get() == "token-2"


async def test_a_token_of_a_short_life_is_not_renewed_at_every_request(
    genesys: FakeGenesys, tokens: TokenKeeper, mock_clock: MockClock
) -> None:
    genesys.expires_in = 10
    await tokens.get()
    mock_clock.jump(8.9)
    await tokens.get()
    assert genesys.logins == 1
    mock_clock.jump(0.2)
    await tokens.get()
    assert genesys.logins == 2


async def test_a_token_that_is_still_good_is_used_while_the_login_service_is_away(
    genesys: FakeGenesys, tokens: TokenKeeper, mock_clock: MockClock
) -> None:
    genesys.expires_in = 3600
    await tokens.get()
    genesys.login_faults = [httpx.Response(503), httpx.ConnectError("refused")]
    mock_clock.jump(3550)
    assert await tokens.get() == "token-1"
    mock_clock.jump(51)
    with pytest.raises(Retryable, match="ConnectError"):
        await tokens.get()
    assert await tokens.get() == f"token-{genesys.logins}" != "token-1"


async def test_a_wrong_client_is_refused_with_the_action_and_remembered(
    genesys: FakeGenesys, tokens: TokenKeeper, mock_clock: MockClock
) -> None:
    genesys.secret = "another"
    for _ in range(50):
        with pytest.raises(AuthRejected, match="invalid_client") as caught:
            await tokens.get()
        assert "GC_CC_CLIENT_SECRET" in (caught.value.action or "")
        with pytest.raises(AuthRejected):
            await tokens.renew(refused="token-0")
    assert genesys.logins == 1
    genesys.secret = CLIENT_SECRET
    mock_clock.jump(HOLD_OFF_S)
    assert await tokens.get() == "token-2"


async def test_refused_logins_become_rare_and_a_success_forgets_them(
    genesys: FakeGenesys, tokens: TokenKeeper, mock_clock: MockClock
) -> None:
    genesys.secret = "another"
    logins_at: list[float] = []
    for _ in range(3000):
        with pytest.raises(AuthRejected):
            await tokens.get()
        if genesys.logins > len(logins_at):
            logins_at.append(trio.current_time())
        mock_clock.jump(10.0)
    gaps = [after - before for before, after in itertools.pairwise(logins_at)]
    assert gaps[:7] == [60, 120, 240, 480, 960, 1920, 3600]
    assert set(gaps[6:]) == {LONGEST_HOLD_OFF_S}
    genesys.secret = CLIENT_SECRET
    mock_clock.jump(LONGEST_HOLD_OFF_S)
    await tokens.get()
    tokens.accept()
    genesys.secret = "another"
    before = genesys.logins
    for logins in (1, 2):
        with pytest.raises(AuthRejected):
            await tokens.renew(f"token-{before}")
        assert genesys.logins == before + logins
        mock_clock.jump(HOLD_OFF_S)


async def test_only_one_renews_a_token_that_was_refused_to_many(
    genesys: FakeGenesys, tokens: TokenKeeper
) -> None:
    refused = await tokens.get()
    got: list[str] = []

    async def renew() -> None:
        got.append(await tokens.renew(refused))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(renew)
    assert got == ["token-2"] * 10
    assert genesys.logins == 2


async def test_the_refusal_of_an_old_token_does_not_stop_the_new_one(
    genesys: FakeGenesys, tokens: TokenKeeper
) -> None:
    old = await tokens.get()
    new = await tokens.renew(old)
    tokens.refuse(old, AuthRejected("refused"))
    assert await tokens.get() == new


@pytest.mark.parametrize(
    ("answer", "kind", "after_s"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), RateLimited, 7.0),
        (httpx.Response(500), Retryable, None),
        (httpx.Response(408), Retryable, None),
        (httpx.Response(200, text="<html>"), Retryable, None),
        (httpx.Response(200, json={"access_token": "", "expires_in": 1}), Retryable, None),
        (httpx.Response(200, json={"access_token": "t", "expires_in": -1}), Retryable, None),
        (httpx.ReadTimeout("slow"), Retryable, None),
    ],
)
async def test_trouble_at_the_login_is_no_refusal(
    genesys: FakeGenesys,
    tokens: TokenKeeper,
    answer: httpx.Response | Exception,
    kind: type[Retryable],
    after_s: float | None,
) -> None:
    genesys.login_faults = [answer]
    with pytest.raises(kind) as caught:
        await tokens.get()
    assert caught.value.after_s == after_s
    assert await tokens.get() == f"token-{genesys.logins}"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404])
async def test_every_other_answer_to_a_login_is_for_a_person(
    genesys: FakeGenesys, tokens: TokenKeeper, status: int
) -> None:
    genesys.login_faults = [httpx.Response(status, text="<html>no</html>")]
    with pytest.raises(AuthRejected, match=str(status)):
        await tokens.get()


async def test_a_login_that_hangs_ends_at_its_deadline(
    tokens: TokenKeeper, genesys: FakeGenesys, autojump_clock: MockClock
) -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await trio.sleep_forever()
        raise AssertionError(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(hang)) as http:
        keeper = TokenKeeper(
            http, login_url="https://x", client_id="a", client_secret="b", deadline_s=10.0
        )
        with pytest.raises(Retryable, match="no answer within 10 s"):
            await keeper.get()
    assert trio.current_time() == pytest.approx(10.0)


async def test_a_cancelled_login_leaves_the_next_one_free(
    genesys: FakeGenesys, tokens: TokenKeeper
) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await tokens.get()
    assert await tokens.get() == "token-1"


async def test_no_secret_is_in_any_repr_or_error(genesys: FakeGenesys, tokens: TokenKeeper) -> None:
    await tokens.get()
    held = vars(tokens)["_held"]
    genesys.secret = "another"
    with pytest.raises(AuthRejected) as caught:
        await tokens.renew("token-1")
    for text in (repr(tokens), repr(held), repr(caught.value), str(caught.value.action)):
        assert CLIENT_SECRET not in text
        assert "token-1" not in text
