"""A stand-in for Genesys Cloud: takes in messages and receipts, and counts them."""

from __future__ import annotations

import json
import time
from collections import Counter

from bench.content import INTEGRATION_ID, RULE_ID, SOURCE_ID, TOPIC_ID, Json
from bench.wire import Answer, Request, encode

INGEST = f"/api/v2/socialmedia/topics/{TOPIC_ID}/dataingestionrules/open/{RULE_ID}/messages/bulk"
RECEIPT = f"/api/v2/conversations/messages/{INTEGRATION_ID}/inbound/open/receipt"
PRIVATE_MESSAGE = f"/api/v2/conversations/messages/{INTEGRATION_ID}/inbound/open/message"
ENRICH = "/api/v2/externalcontacts/contacts/enrich"
SOURCE = f"/api/v2/externalcontacts/externalsources/{SOURCE_ID}"
INTEGRATION = f"/api/v2/conversations/messaging/integrations/open/{INTEGRATION_ID}"
TOKEN = "/oauth/token"  # noqa: S105 (an address)

_LIMITS = (
    ("inin-ratelimit-count", "1"),
    ("inin-ratelimit-allowed", "1000000"),
    ("inin-ratelimit-reset", "60"),
    ("inin-correlation-id", "99999999-8888-4777-8666-555555555555"),
)
_ACCEPTED = 202


class Genesys:
    """Answers what the connector asks, and remembers what came in."""

    def __init__(self) -> None:
        self.ingested: Counter[str] = Counter()
        """How often each message of a customer came, by its text."""
        self.came_at: dict[str, float] = {}
        """When each of them came first, in ``time.perf_counter``."""
        self.receipts: Counter[str] = Counter()
        """How often each final receipt came, by message id and status."""
        self.contacts: Counter[str] = Counter()
        """How often each contact was written, by the DID."""
        self.bulk_requests = 0

    def answer(self, request: Request) -> Answer | None:
        """``None`` for what it does not know."""
        match request.path:
            case _ if request.path == TOKEN:
                grant = {"access_token": "bench", "token_type": "bearer", "expires_in": 86_400}
                return Answer(encode(grant))
            case _ if request.path == INTEGRATION:
                return Answer(encode({"id": INTEGRATION_ID, "name": "Bench"}))
            case _ if request.path == INGEST:
                return self._ingest(json.loads(request.body))
            case _ if request.path == RECEIPT:
                return self._take_receipt(json.loads(request.body))
            case _ if request.path == PRIVATE_MESSAGE:
                return self._take_private(json.loads(request.body))
            case _ if request.path == ENRICH:
                return self._enrich(json.loads(request.body))
            case _ if request.path == SOURCE:
                return _accept({"id": SOURCE_ID, "name": "Bluesky"}, 200)
            case _:
                return None

    def _ingest(self, messages: list[Json]) -> Answer:
        self.bulk_requests += 1
        for message in messages:
            self._note(message["text"])
        entities = [
            {
                **message,
                "id": f"{self.bulk_requests:08x}{number:024x}",
                "type": "Text",
                "channel": {**message["channel"], "id": TOPIC_ID, "platform": "Open"},
            }
            for number, message in enumerate(messages)
        ]
        return _accept({"entities": entities, "pageSize": len(entities), "pageNumber": 1})

    def _note(self, text: str) -> None:
        self.ingested[text] += 1
        self.came_at.setdefault(text, time.perf_counter())

    def _take_private(self, message: Json) -> Answer:
        self._note(message["text"])
        number = len(self.ingested)
        names = {"id": f"{number:032x}", "conversationId": f"{number:012d}"}
        return _accept({**message, **names, "type": "Text", "direction": "Inbound"})

    def _enrich(self, body: Json) -> Answer:
        did = body["matchingIdentifiers"][0]["value"]
        self.contacts[did] += 1
        return _accept({**body["contact"], "id": did, "type": "Ephemeral"}, 200)

    def _take_receipt(self, receipt: Json) -> Answer:
        final = "" if receipt["isFinalReceipt"] else " (not final)"
        self.receipts[f"{receipt['id']} {receipt['status']}{final}"] += 1
        return _accept({**receipt, "type": "Receipt", "direction": "Outbound"})


def _accept(body: Json, status: int = _ACCEPTED) -> Answer:
    return Answer(encode(body), status, _LIMITS)
