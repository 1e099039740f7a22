"""The organization as an HTTP server: login and API at one address."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from hypercorn.typing import ASGIFramework
from quart import Response, request
from quart_trio import QuartTrio

from sandbox.faults import RateLimit, Refusal, Status, inject_faults
from sandbox.genesys.access import OAuthError
from sandbox.genesys.api import CORRELATION_HEADER, Api, Redirect, Request
from sandbox.genesys.contact_routes import add_contact_routes
from sandbox.genesys.errors import ApiError, error_body, not_found, too_many_requests
from sandbox.genesys.ids import Ids
from sandbox.genesys.message_routes import add_message_routes
from sandbox.genesys.organization import Call, GenesysOrganization
from sandbox.genesys.setup_routes import add_setup_routes
from sandbox.genesys.wire import encode


def create_app(organization: GenesysOrganization) -> ASGIFramework:
    """The application, with ``organization.faults`` in front of it."""
    app = QuartTrio("sandbox.genesys")
    _add_login(app, organization)
    api = Api(app, organization)
    _add_files(app, api, organization)
    add_message_routes(api, organization)
    add_contact_routes(api, organization)
    add_setup_routes(api, organization)
    return inject_faults(app, organization.faults, partial(_refusal, organization.ids))


def _refusal(ids: Ids, fault: Status | RateLimit) -> Refusal:
    correlation_id = ids.uuid()
    match fault:
        case Status(status, code, message, extra):
            error = ApiError(status, code, message, headers=extra)
        case RateLimit(retry_after_s):
            error = too_many_requests(math.ceil(retry_after_s))
    body = error_body(error.status, error.code, error.message, correlation_id)
    headers = {
        "content-type": "application/json",
        CORRELATION_HEADER: correlation_id,
        **error.headers,
    }
    return Refusal(error.status, headers, encode(body))


def _add_login(app: QuartTrio, organization: GenesysOrganization) -> None:
    @app.post("/oauth/token")
    async def log_in() -> Response:
        form = (await request.form).to_dict()
        logged: Any
        try:
            answer = organization.access.grant(request.headers.get("Authorization"), form)
            status, logged = 200, None
        except OAuthError as error:
            status, answer = error.status, error.body
            logged = answer
        call = Call(organization.now(), "POST", "/oauth/token", form, status, logged)
        organization.calls.append(call)
        organization.note_change()
        return Response(encode(answer), status=status, content_type="application/json")


def _add_files(app: QuartTrio, api: Api, organization: GenesysOrganization) -> None:
    # The address in a message asks for a token and leads to a signed one that does not.
    files = organization.files

    @api.operation("GET", "/api/v2/downloads/<file_id>")
    def download(request: Request, file_id: str) -> Redirect:
        if file_id not in files.by_id:
            raise not_found()
        return Redirect(files.signed_url(file_id))

    @app.get("/files/<file_id>")
    async def fetch(file_id: str) -> Response:
        file = files.by_id.get(file_id)
        if file is None or request.args.get("signature") != file.signature:
            return Response(b"", status=403)
        return Response(file.content, content_type=file.mime)
