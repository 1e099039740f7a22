"""A Genesys Cloud for unit tests: a handler object for ``httpx.MockTransport``.

It keeps tokens, messages, receipts and contacts, and checks every body against the official
Swagger if that is there. What it refuses and loses is scripted by the test.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import trio

from tests.contracts.swagger import Swagger
from tests.genesys.fake_conversations import FakeConversations

API_URL = "https://api.test.example"
LOGIN_URL = "https://login.test.example"
CLIENT_ID = "client-id"
CLIENT_SECRET = "client-secret-value"
SOURCE = {"id": "source-1", "name": "Bluesky", "active": True}

Fault = httpx.Response | Exception


@dataclass(frozen=True)
class Call:
    """One request to the API, after its login."""

    method: str
    path: str
    body: Any = None


def error(status: int, code: str, message: str = "no", **headers: str) -> httpx.Response:
    """A refusal in Genesys' words (``ErrorBody``); ``_`` in a header's name stands for ``-``."""
    body = {"message": message, "code": code, "status": status, "contextId": "context-1"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={**body, "details": [], "errors": []}, headers=names)


@dataclass
class FakeGenesys:
    """The platform. Change its attributes to make it behave otherwise.

    Attributes:
        faults: answers or errors for the next API requests, instead of dealing with them.
        lost_answers: so many of the next requests take effect, and then the connection breaks.
        culprits: message ids that make the platform refuse what contains them.
        silent: message ids that it takes and does not name in its answer.
        headers: sent with every answer.
        denied: parts of paths that the client lacks the permission for.
        before: called before each API request is dealt with.
        latency_s: how long each answer takes.
        conversations: what it tells of them; those answers are checked, too.
    """

    swagger: Swagger | None = None
    secret: str = CLIENT_SECRET
    expires_in: float = 86_400.0
    faults: list[Fault] = field(default_factory=list)
    login_faults: list[Fault] = field(default_factory=list)
    lost_answers: int = 0
    culprits: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    before: Callable[[Call], None] | None = None
    logins: int = 0
    valid_tokens: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    ingested: Counter[str] = field(default_factory=Counter)
    reactions: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    private: Counter[str] = field(default_factory=Counter)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    latency_s: float = 0.0
    conversations: FakeConversations = field(default_factory=FakeConversations)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        await trio.sleep(self.latency_s)
        response = self._answer(request)
        response.headers.update(self.headers)
        return response

    def paths(self) -> list[str]:
        """The last two steps of each path that was called, with its method."""
        return [f"{call.method} {'/'.join(call.path.split('/')[-2:])}" for call in self.calls]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == httpx.URL(LOGIN_URL).host:
            return self._log_in(request)
        body = json.loads(request.content) if request.content else None
        call = Call(request.method, request.url.path, body)
        if self.swagger is not None:
            self.violations += self.swagger.check_request(call.method, call.path, body)
        self.calls.append(call)
        if self.before is not None:
            self.before(call)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.valid_tokens:
            return error(401, "bad.credentials", "Invalid login credentials.")
        if self.faults:
            return _raise_or_return(self.faults.pop(0))
        response = self._permit(call) or self._deal_with(call)
        if self.lost_answers > 0:
            self.lost_answers -= 1
            raise httpx.ReadError("connection reset by peer")
        return response

    def _log_in(self, request: httpx.Request) -> httpx.Response:
        self.logins += 1
        if self.login_faults:
            return _raise_or_return(self.login_faults.pop(0))
        expected = base64.b64encode(f"{CLIENT_ID}:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            refusal = {"error": "invalid_client", "error_description": "authentication failed"}
            return httpx.Response(401, json=refusal)
        assert request.url.path == "/oauth/token"
        assert parse_qs(request.content.decode()) == {"grant_type": ["client_credentials"]}
        token = f"token-{self.logins}"
        self.valid_tokens.add(token)
        grant = {"access_token": token, "token_type": "bearer", "expires_in": self.expires_in}
        return httpx.Response(200, json=grant)

    def _permit(self, call: Call) -> httpx.Response | None:
        for part, permission in self.denied.items():
            if part in f"{call.method} {call.path}":
                message = f"You are missing the following permission(s): {permission}"
                return error(403, "missing.permissions", message)
        return None

    def _deal_with(self, call: Call) -> httpx.Response:
        told = self.conversations.answer(call.path, call.body)
        if told is not None:
            return self._check(call, told)
        if call.path.endswith("/messages/bulk"):
            return self._ingest(call.body)
        if call.path.endswith("/reactions/bulk"):
            return self._take_reactions(call.body["events"])
        if call.path.endswith("/inbound/open/message"):
            return self._take_private(call.body)
        if call.path.endswith("/inbound/open/receipt"):
            return self._take_receipt(call.body)
        if "/externalcontacts/" in call.path:
            return self._deal_with_contact(call)
        return error(404, "not.found", "The requested resource was not found.")

    def _check(self, call: Call, told: httpx.Response) -> httpx.Response:
        if self.swagger is not None:
            status, body = told.status_code, told.json()
            self.violations += self.swagger.check_response(call.method, call.path, status, body)
        return told

    def _ingest(self, bodies: list[dict[str, Any]]) -> httpx.Response:
        ids = [body["channel"]["messageId"] for body in bodies]
        if self.culprits & set(ids):
            return error(400, "invalid.value", "Value [x] is not valid")
        self.ingested.update(ids)
        # In another order than they came: position means nothing.
        entities = [
            {"id": f"genesys-{body['channel']['messageId']}", "channel": body["channel"]}
            for body in reversed(bodies)
            if body["channel"]["messageId"] not in self.silent
        ]
        return httpx.Response(202, json={"entities": entities})

    def _take_reactions(self, events: list[dict[str, Any]]) -> httpx.Response:
        ids = {event["channel"]["messageId"] for event in events}
        if self.culprits & ids:
            return error(400, "invalid.value", "Value [x] is not valid")
        for event in events:
            counts = {one["reactionType"]: one["count"] for one in event["events"][0]["reactions"]}
            self.reactions.append((event["channel"]["messageId"], counts))
        entities = [
            {"id": f"genesys-{event['channel']['messageId']}", **event}
            for event in reversed(events)
            if event["channel"]["messageId"] not in self.silent
        ]
        return httpx.Response(202, json={"entities": entities})

    def _take_private(self, body: dict[str, Any]) -> httpx.Response:
        message_id = body["channel"]["messageId"]
        if message_id in self.culprits:
            return error(400, "invalid.value", "Value [x] is not valid")
        self.private[message_id] += 1
        return httpx.Response(202, json={"id": f"genesys-{message_id}"})

    def _take_receipt(self, body: dict[str, Any]) -> httpx.Response:
        if body["id"] in self.culprits:
            return error(400, "bad.request", "unknown message")
        self.receipts.append(body)
        return httpx.Response(202, json={})

    def _deal_with_contact(self, call: Call) -> httpx.Response:
        match call.method, call.path.rsplit("/", 1)[-1]:
            case "GET", name if name == SOURCE["id"]:
                return httpx.Response(200, json=SOURCE)
            case "POST", "enrich":
                return self._enrich(call.body)
            case "POST", "contacts" if "identifierlookup" in call.path:
                found = self._find(call.body["value"])
                return httpx.Response(200, json=found) if found else error(404, "not.found")
            case "POST", "contacts":
                return self._create(call.body)
            case "PATCH", contact_id:
                return self._patch(self.contacts[contact_id], call.body["changes"])
        return error(404, "not.found")

    def _find(self, did: str) -> dict[str, Any] | None:
        for contact in self.contacts.values():
            if any(one["value"] == did for one in contact.get("externalIds", ())):
                return contact
        return None

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if self._find(body["externalIds"][0]["value"]):
            return error(409, "request.conflict")
        contact = {"id": f"contact-{len(self.contacts) + 1}", **body}
        self.contacts[contact["id"]] = contact
        return httpx.Response(200, json=contact)

    def _enrich(self, body: dict[str, Any]) -> httpx.Response:
        found = self._find(body["matchingIdentifiers"][0]["value"])
        if found is None:
            self._create({"division": body["division"], **body["contact"]})
            return httpx.Response(201, json=list(self.contacts.values())[-1])
        assert body["fieldRules"]["defaultAction"] == "PreferExisting"
        provided = {rule["field"].removeprefix("$.") for rule in body["fieldRules"]["rules"]}
        for name, value in body["contact"].items():
            if name != "externalIds" and (name in provided or not found.get(name)):
                found[name] = value
        return httpx.Response(200, json=found)

    def _patch(self, contact: dict[str, Any], changes: Iterable[dict[str, Any]]) -> httpx.Response:
        for change in changes:
            name = change["field"].removeprefix("$.")
            if change["action"] == "Update" or not contact.get(name):
                contact[name] = change["value"]
        return httpx.Response(200, json=contact)


def _raise_or_return(fault: Fault) -> httpx.Response:
    if isinstance(fault, Exception):
        raise fault
    return fault
