"""A stand-in for Genesys Cloud: takes in messages and receipts, and counts them."""

from __future__ import annotations

import json
from collections import Counter

from bench.content import INTEGRATION_ID, RULE_ID, TOPIC_ID, Json
from bench.wire import Answer, Request, encode

INGEST = f"/api/v2/socialmedia/topics/{TOPIC_ID}/dataingestionrules/open/{RULE_ID}/messages/bulk"
RECEIPT = f"/api/v2/conversations/messages/{INTEGRATION_ID}/inbound/open/receipt"
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
        """How often each public message came, by its text."""
        self.receipts: Counter[str] = Counter()
        """How often each final receipt came, by message id and status."""
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
            case _:
                return None

    def _ingest(self, messages: list[Json]) -> Answer:
        self.bulk_requests += 1
        self.ingested.update(message["text"] for message in messages)
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

    def _take_receipt(self, receipt: Json) -> Answer:
        final = "" if receipt["isFinalReceipt"] else " (not final)"
        self.receipts[f"{receipt['id']} {receipt['status']}{final}"] += 1
        return _accept({**receipt, "type": "Receipt", "direction": "Outbound"})


def _accept(body: Json) -> Answer:
    return Answer(encode(body), _ACCEPTED, _LIMITS)
