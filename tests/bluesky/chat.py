"""A small chat service for DMPoller: conversations, their messages, and one log."""

from __future__ import annotations

from typing import Any

import trio

from actors.bluesky.client import Parameters
from actors.messages import Json
from runtime.errors import Fault, Rejected
from tests.bluesky.network import BRAND, profile, time_at

CONVO = "chat.bsky.convo."
DEFS = f"{CONVO}defs#"
PAGE = 100


class Chat:
    """Fulfils ``Bluesky`` for the chat side.

    Attributes:
        calls: method and parameters or body of every request, oldest first.
        faults: errors to raise by method, the next first; ``None`` lets one call pass.
        log: all events; the cursor is the number of those that were read.
        read: the message up to which each conversation was marked as read.
        profiles: what ``getProfiles`` knows, by DID.
        log_has_cursor: whether ``getLog`` without a cursor gives one.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.faults: dict[str, list[Fault | None]] = {}
        self.convos: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[Any]] = {}
        self.log: list[Any] = []
        self.read: dict[str, str] = {}
        self.profiles: dict[str, Any] = {}
        self.log_has_cursor = True
        self.oldest_cursor = 0
        self.on_list: list[Any] = []
        self._next = 0

    def count(self, nsid: str) -> int:
        """How often a method was called."""
        return sum(name == nsid for name, _ in self.calls)

    def convo(self, name: str, *, request: bool = False, group: bool = False) -> str:
        """A conversation of the brand with somebody."""
        convo_id = f"convo-{name}"
        self.convos[convo_id] = {
            "id": convo_id,
            "rev": "1",
            "members": [profile("brand"), profile(name)],
            "muted": False,
            "unreadCount": 0,
            "status": "request" if request else "accepted",
            "kind": {"$type": f"{DEFS}{'group' if group else 'direct'}Convo"},
        }
        self.messages[convo_id] = []
        return convo_id

    def write(self, convo_id: str, at_s: float, *, sender: str = "", **extra: object) -> str:
        """Somebody writes; by default whom the conversation is with."""
        self._next += 1
        sender = sender or convo_id.removeprefix("convo-")
        message = {
            "$type": f"{DEFS}messageView",
            "id": f"m{self._next}",
            "rev": str(self._next),
            "text": f"message {self._next}",
            "sender": {"did": f"did:plc:{sender}"},
            "sentAt": time_at(at_s),
            **extra,
        }
        self.messages.setdefault(convo_id, []).append(message)
        self.event("CreateMessage", convo_id, message=message)
        return str(message["id"])

    def event(self, kind: str, convo_id: str, **extra: object) -> None:
        """Something happens in a conversation."""
        self.log.append(
            {"$type": f"{DEFS}log{kind}", "rev": str(len(self.log)), "convoId": convo_id, **extra}
        )

    async def did(self) -> str:
        """The brand."""
        return BRAND

    async def query(self, nsid: str, parameters: Parameters, *, chat: bool = False) -> Json:
        """Answer like the chat service, after a moment."""
        await self._arrive(nsid, parameters, chat)
        match nsid.removeprefix(CONVO):
            case "app.bsky.actor.getProfiles":
                return {"profiles": [self.profiles[one] for one in self.profiles]}
            case "getLog":
                return self._get_log(parameters)
            case "getConvo":
                return {"convo": self._find(str(parameters["convoId"]))}
            case "listConvos":
                listed = [one for one in self.convos.values() if one["status"] == "accepted"]
                return self._list("convos", listed, parameters)
            case "listConvoRequests":
                listed = [one for one in self.convos.values() if one["status"] == "request"]
                joining = {"$type": "chat.bsky.group.defs#joinRequestConvoView", "convoId": "g"}
                return self._list("requests", [*listed, joining], parameters)
            case "getMessages":
                newest_first = self.messages[str(parameters["convoId"])][::-1]
                answer = self._list("messages", newest_first, parameters)
                return {**answer, "relatedProfiles": []}
        raise Rejected("MethodNotImplemented", nsid)

    async def procedure(self, nsid: str, body: Json, *, chat: bool = False) -> Json:
        """Accept a conversation, or mark it as read."""
        await self._arrive(nsid, body, chat)
        convo = self._find(str(body["convoId"]))
        if nsid == f"{CONVO}acceptConvo":
            convo["status"] = "accepted"
        else:
            assert nsid == f"{CONVO}updateRead"
            self.read[str(body["convoId"])] = str(body["messageId"])
        return {}

    async def _arrive(self, nsid: str, content: object, chat: bool) -> None:
        self.calls.append((nsid, content))
        await trio.sleep(0.01)
        if chat == (nsid == "app.bsky.actor.getProfiles"):
            raise Rejected("MethodNotImplemented", "without the chat header")
        fault = self.faults[nsid].pop(0) if self.faults.get(nsid) else None
        if fault is not None:
            raise fault
        if nsid == f"{CONVO}listConvos":
            for happening in self.on_list:
                happening()

    def _find(self, convo_id: str) -> dict[str, Any]:
        if convo_id not in self.convos:
            raise Rejected("InvalidConvo", "Convo not found")
        return self.convos[convo_id]

    def _get_log(self, parameters: Parameters) -> Json:
        if "cursor" not in parameters:
            return {"logs": [], **({"cursor": str(len(self.log))} if self.log_has_cursor else {})}
        start = int(str(parameters["cursor"]))
        if start < self.oldest_cursor:
            raise Rejected("InvalidRequest", "cursor")
        logs = self.log[start : start + PAGE]
        return {"logs": logs, "cursor": str(start + len(logs))}

    def _list(self, key: str, values: list[Any], parameters: Parameters) -> dict[str, Any]:
        start = int(str(parameters.get("cursor", "0")))
        end = start + int(str(parameters["limit"]))
        shown = [self._with_last(one) if key == "convos" else one for one in values[start:end]]
        return {key: shown, **({"cursor": str(end)} if end < len(values) else {})}

    def _with_last(self, convo: dict[str, Any]) -> dict[str, Any]:
        messages = self.messages.get(convo["id"])
        return {**convo, "lastMessage": messages[-1]} if messages else convo
