"""The Genesys Cloud API over httpx: a thin client that knows tokens, limits and errors."""

from __future__ import annotations

import httpx

from actors.genesys.exchange import exchange, read_seconds
from actors.genesys.faults import make_fault
from actors.genesys.token import TokenKeeper
from actors.json_text import parse_json, write_body
from actors.messages import Json
from runtime.errors import AuthRejected, Effect, RateLimited, Retryable
from runtime.rate import Budget


class GenesysClient:
    """Calls the API as one OAuth client. Make one for the whole process.

    Args:
        http: the connection pool.
        api_url: for example ``https://api.mypurecloud.com``.
        budget: what the platform allows all actors together; steered by what its answers say.
        deadline_s: how long one request may take, its answer included.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        api_url: str,
        tokens: TokenKeeper,
        budget: Budget,
        deadline_s: float,
    ) -> None:
        self._http = http
        self._api_url = api_url.rstrip("/")
        self._tokens = tokens
        self._budget = budget
        self._deadline_s = deadline_s

    def waiting_s(self) -> float:
        """Seconds until the platform's budget allows a request; 0.0 if at once."""
        return self._budget.waiting_s()

    async def log_in(self) -> None:
        """Make sure that there is a token; raises as :meth:`request` does for the login."""
        await self._tokens.get()

    async def request(self, method: str, path: str, body: object = None) -> Json:
        """Make one request and return its answer; an empty answer is an empty mapping.

        Waits for the platform's budget first. A refused token is renewed once. If cancelled, the
        request may have taken effect.

        Args:
            path: from ``/api/v2`` on, with its query.
            body: what becomes JSON, or ``None`` for no body.

        Raises:
            RateLimited: too fast; everybody who shares the budget waits as long as it says.
            Retryable: network, 5xx, 408, or an answer that is not Genesys' own. ``effect`` is
                ``UNKNOWN`` when it may have happened.
            AuthRejected: the login or the token is refused; ``PermissionMissing`` when a
                permission is. ``action`` says what to mend.
            GenesysRejected: any other refusal, with Genesys' ``code`` and ``contextId``.
        """
        token = await self._tokens.get()
        response = await self._call(method, path, body, token)
        if response.status_code == 401:
            token = await self._tokens.renew(refused=token)
            response = await self._call(method, path, body, token)
        if response.is_success:
            self._tokens.accept()
        else:
            fault = make_fault(response)
            if isinstance(fault, RateLimited) and fault.after_s is not None:
                self._budget.block_for(fault.after_s)
            if response.status_code == 401 and isinstance(fault, AuthRejected):
                self._tokens.refuse(token, fault)
            raise fault
        return _read_answer(response)

    async def _call(self, method: str, path: str, body: object, token: str) -> httpx.Response:
        await self._budget.acquire()
        headers = {"Authorization": f"Bearer {token}"}
        content = None
        if body is not None:
            content = write_body(body)
            headers["Content-Type"] = "application/json"
        url = f"{self._api_url}{path}"
        request = self._http.build_request(method, url, headers=headers, content=content)
        response = await exchange(self._http, request, deadline_s=self._deadline_s)
        self._observe(response)
        return response

    def _observe(self, response: httpx.Response) -> None:
        allowed = read_seconds(response.headers, "inin-ratelimit-allowed")
        count = read_seconds(response.headers, "inin-ratelimit-count")
        reset_s = read_seconds(response.headers, "inin-ratelimit-reset")
        if allowed is not None and count is not None and reset_s is not None:
            self._budget.observe(remaining=int(allowed - count), reset_in_s=reset_s)


def _read_answer(response: httpx.Response) -> Json:
    if not response.content:
        return {}
    place = f"{response.request.method} {response.request.url.path}: {response.status_code}"
    try:
        answer = parse_json(response.content)
    except ValueError as error:
        why = f"{place} with something that is not JSON"
        raise Retryable(why, effect=Effect.UNKNOWN) from error
    if not isinstance(answer, dict):
        raise Retryable(f"{place} with something other than an object", effect=Effect.UNKNOWN)
    return answer
