"""The gate that GenesysSender's requests go through: so many at once, and none to closed doors."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.closures import Closures, EndpointRefused
from actors.genesys.delivery import NOT_FOUND, call, has_status, make_setting_fault
from actors.genesys.faults import PermissionMissing
from actors.messages import Json
from runtime.actor import Context
from runtime.backoff import RestartPolicy
from runtime.errors import AuthRejected, Rejected, Retryable

_SIGN_OF_LIFE_S = 5.0


class NotTried(Retryable):
    """There was no use in making this request now."""


class Gate:
    """Makes requests for one unit.

    Args:
        policy: of how long an endpoint that was refused is not tried.
        closures: the endpoints that are refused, shared by all units.
        places: for the requests under way, shared by all units.
    """

    def __init__(
        self,
        context: Context,
        client: GenesysClient,
        policy: RestartPolicy,
        closures: Closures,
        places: trio.Semaphore,
    ) -> None:
        self._context = context
        self._client = client
        self._policy = policy
        self._closures = closures
        self._places = places

    async def post(
        self, path: str, body: object, *, settings: Sequence[str], troubles: list[Retryable]
    ) -> Json:
        """Make one request when there is a place. If cancelled, it may have taken effect.

        Args:
            settings: what is to blame if the platform does not know the path.
            troubles: what shows that the platform is in trouble. Once there is any, nothing is
                tried; what comes up here is added.

        Raises:
            NotTried: because of earlier trouble, or because the endpoint was refused lately.
            EndpointRefused: for want of a permission, or because of a setting.
            Fault: any other, as :meth:`GenesysClient.request` raises them.
        """
        await self._take_place()
        try:
            hurdle = self._closures.find(path, self._context.rng) or next(iter(troubles), None)
            if hurdle is not None:
                raise NotTried(str(hurdle), after_s=hurdle.after_s, action=hurdle.action)
            return await self._call(path, body, settings, troubles)
        finally:
            self._places.release()

    async def _call(
        self, path: str, body: object, settings: Sequence[str], troubles: list[Retryable]
    ) -> Json:
        try:
            answer = await call(self._context, self._client, "POST", path, body)
        except Retryable as error:
            troubles.append(error)
            raise
        except PermissionMissing as error:
            raise self._close(path, error) from error
        except Rejected as error:
            if settings and has_status(error, NOT_FOUND):
                raise self._close(path, make_setting_fault(error, *settings)) from error
            self._closures.open(path)
            raise
        self._closures.open(path)
        return answer

    async def _take_place(self) -> None:
        # That other requests are slow is no reason to call this unit stuck.
        while True:
            with trio.move_on_after(_SIGN_OF_LIFE_S):
                await self._places.acquire()
                return
            self._context.progress()

    def _close(self, path: str, error: AuthRejected) -> EndpointRefused:
        return self._closures.close(path, error, self._policy.slow_delay_s(self._context.rng))
