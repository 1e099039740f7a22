"""What all operations have in common: token, budget, permissions, JSON, errors and the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from sandbox.genesys.checks import Parsed, parse
from sandbox.genesys.errors import ApiError, error_body, not_found
from sandbox.genesys.organization import Call, GenesysOrganization
from sandbox.genesys.wire import encode

Answer: TypeAlias = tuple[int, Any]
"""Status and JSON; ``None`` for no body."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The answer that another address has it."""

    location: str


CORRELATION_HEADER = "inin-correlation-id"


@dataclass(frozen=True, slots=True)
class Request:
    """What an operation is given: parsed JSON (``None`` if there is no body) and the query."""

    body: Any
    query: Mapping[str, str]

    def parse(self, adapter: TypeAdapter[Parsed]) -> Parsed:
        """The body as a model.

        Raises:
            ApiError: 400.
        """
        return parse(adapter, self.body)

    def number(self, name: str, default: int) -> int:
        """A positive number of the query.

        Raises:
            ApiError: 400.
        """
        value = self.query.get(name, str(default))
        if not value.isdecimal() or int(value) == 0:
            message = f"Value [{value}] is not valid for parameter [{name}]"
            raise ApiError(400, "invalid.query.param.value", message)
        return int(value)


Operation: TypeAlias = Callable[..., Answer | Redirect]
"""Takes the request, then the parts of the path by name; raises ApiError."""


class Api:
    """Adds operations to an application."""

    def __init__(self, app: QuartTrio, organization: GenesysOrganization) -> None:
        self._app = app
        self._organization = organization
        app.register_error_handler(HTTPException, self._refuse_unknown)

    def operation(
        self,
        method: str,
        path: str,
        *,
        all_of: tuple[str, ...] = (),
        any_of: tuple[str, ...] = (),
    ) -> Callable[[Operation], Operation]:
        """Decorate a function as the operation ``method`` of ``path``.

        Args:
            path: with the parts that the function is given by name, as in ``/topics/<topic_id>``.
            all_of: permissions of which the client needs every one.
            any_of: permissions of which the client needs one.
        """

        def add(operation: Operation) -> Operation:
            async def handle(**path_parts: str) -> Response:
                return await self._handle(operation, all_of, any_of, path_parts)

            self._app.add_url_rule(path, f"{method} {path}", handle, methods=[method])
            return operation

        return add

    async def _handle(
        self,
        operation: Operation,
        all_of: tuple[str, ...],
        any_of: tuple[str, ...],
        path_parts: Mapping[str, str],
    ) -> Response:
        access = self._organization.access
        headers: dict[str, str] = {}
        body, broken = await _read_json()
        try:
            token = access.authenticate(request.headers.get("Authorization"))
            try:
                access.count(token)
            finally:
                headers |= access.rate_headers(token)
            access.require(all_of, any_of)
            if broken is not None:
                raise broken
            result = operation(Request(body, request.args), **path_parts)
        except ApiError as error:
            return self._refuse(body, error, headers)
        if isinstance(result, Redirect):
            return self._respond(body, (302, None), headers | {"Location": result.location})
        return self._respond(body, result, headers)

    def _refuse(
        self, body: object, error: ApiError, headers: Mapping[str, str] | None = None
    ) -> Response:
        correlation_id = self._organization.ids.uuid()
        answer = error_body(error.status, error.code, error.message, correlation_id)
        sent = {**(headers or {}), **error.headers, CORRELATION_HEADER: correlation_id}
        return self._respond(body, (error.status, answer), sent)

    async def _refuse_unknown(self, error: HTTPException) -> Response:
        status = error.code or 500
        codes = {405: "method.not.allowed", 413: "request.entity.too.large"}
        code = codes.get(status, "internal.server.error")
        return self._refuse(
            None, not_found() if status == 404 else ApiError(status, code, error.name)
        )

    def _respond(self, body: object, answer: Answer, headers: Mapping[str, str]) -> Response:
        status, content = answer
        organization = self._organization
        path = request.full_path.removesuffix("?")
        call = Call(organization.now(), request.method, path, body, status, content)
        organization.calls.append(call)
        organization.note_change()
        return Response(
            b"" if content is None else encode(content),
            status=status,
            headers={CORRELATION_HEADER: self._organization.ids.uuid(), **headers},
            content_type="application/json",
        )


async def _read_json() -> tuple[Any, ApiError | None]:
    # Read before anything is refused: who answers over unread bytes may not be heard.
    raw = await request.get_data(as_text=False)
    if not raw:
        return None, None
    if request.mimetype != "application/json":
        message = "Unsupported Media Type - such as an incorrect Content-Type value in the header."
        return None, ApiError(415, "unsupported.media.type", message)
    try:
        return json.loads(raw), None
    except ValueError:
        return None, ApiError(400, "bad.request", "The JSON body of the request was not valid.")
