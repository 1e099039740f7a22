"""Both sides compared, message by message."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sandbox.genesys.conversations import InboundMessage, OutboundMessage
from sandbox.world import World
from tests.durability.effects import Effect, Effects
from tests.durability.ledger import COURTESY, Answered, Ledger, Said, find_token

POST = "app.bsky.feed.post"
MESSAGE = "message"
_NUMBER = re.compile(r" \(\d+/\d+\)\Z")
"""What stands behind each of several posts that are one answer."""


@dataclass(slots=True)
class Findings:
    """What is wrong, in words, by the kind of wrong.

    ``stray`` is what nobody said, or what is not where it belongs. ``given_up`` are agents'
    messages of which Genesys stopped telling us before we could take them: they are looked for
    afterwards, and must have come like all the others. ``repeats`` are requests that came again
    with the same id: the platforms take them for one.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    receipts_missing: list[str] = field(default_factory=list)
    receipts_doubled: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    repeats: int = 0

    @property
    def missing(self) -> int:
        """How much may still come."""
        return len(self.lost) + len(self.receipts_missing)

    @property
    def wrongs(self) -> list[str]:
        """All that must not be."""
        return [
            f"{kind}: {what}"
            for kind, found in (
                ("lost", self.lost),
                ("doubled", self.doubled),
                ("out of order", self.disordered),
                ("stray", self.stray),
                ("receipt missing", self.receipts_missing),
                ("receipt doubled", self.receipts_doubled),
            )
            for what in found
        ]


def audit(world: World, ledger: Ledger, effects: Effects) -> Findings:
    """Hold both sides to what was said."""
    effects.gather()
    findings = Findings(repeats=effects.repeats)
    _audit_inbound(world, ledger, findings)
    _audit_contacts(world, ledger, findings)
    _audit_outbound(world, ledger, effects, findings)
    _audit_receipts(ledger, findings)
    return findings


# --- from customers ------------------------------------------------------------------------


def _audit_inbound(world: World, ledger: Ledger, findings: Findings) -> None:
    arrived: dict[str, InboundMessage] = {}
    for message in (*world.genesys.ingested, *world.genesys.private_messages):
        if message.repeat:
            findings.repeats += 1
        elif arrived.setdefault(message.provider_message_id, message) is not message:
            findings.doubled.append(f"{message.text!r} is at Genesys twice")
    for said in ledger.said:
        found = arrived.pop(said.name, None)
        if found is None:
            findings.lost.append(f"{said.token} of {said.place} is not at Genesys")
        elif not _is_in_place(world, said, found):
            findings.stray.append(f"{said.token} is in another conversation than {said.place}")
    findings.stray += [f"{message.text!r} at Genesys" for message in arrived.values()]
    for conversation in world.genesys.conversations.values():
        tokens = [find_token(message.text) or "" for message in conversation.inbound]
        findings.disordered += [
            f"{later} came after {earlier} to Genesys, in {conversation.key}"
            for earlier, later in _descents(tokens)
        ]


def _is_in_place(world: World, said: Said, found: InboundMessage) -> bool:
    conversation = world.genesys.conversations[found.conversation_id]
    wanted = "private" if said.private else "public"
    return (conversation.visibility, conversation.key) == (wanted, said.place)


def _descents(tokens: Iterable[str]) -> Iterator[tuple[str, str]]:
    highest = ""
    for token in tokens:
        if token < highest:
            yield highest, token
        highest = max(highest, token)


def _audit_contacts(world: World, ledger: Ledger, findings: Findings) -> None:
    known = Counter(
        one["value"]
        for contact in world.genesys.contacts.by_id.values()
        for one in contact.get("externalIds", ())
    )
    for did in {said.customer_did for said in ledger.said}:
        if known[did] == 0:
            findings.lost.append(f"the contact of {did}")
        elif known[did] > 1:
            findings.doubled.append(f"the contact of {did}")


# --- from agents ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Traces:
    """Effects with their places in the order of all, by what tells whose they are."""

    by_token: dict[str | None, list[tuple[int, Effect]]]
    by_target: dict[tuple[str, str | None], list[tuple[int, Effect]]]

    def of(self, answered: Answered) -> list[tuple[int, Effect]]:
        if answered.kind in ("like", "repost"):
            return self.by_target[f"app.bsky.feed.{answered.kind}", answered.target]
        return self.by_token[answered.token]


def _audit_outbound(world: World, ledger: Ledger, effects: Effects, findings: Findings) -> None:
    traces = _Traces(defaultdict(list), defaultdict(list))
    courtesies: Counter[str] = Counter()
    for position, effect in enumerate(effects.done):
        if effect.text == COURTESY:
            courtesies[effect.name] += 1
        elif effect.collection in (POST, MESSAGE):
            traces.by_token[find_token(effect.text)].append((position, effect))
        else:
            traces.by_target[effect.collection, effect.target].append((position, effect))
    for answered in ledger.answered:
        if is_given_up(answered.message):
            findings.given_up.append(f"{answered.token}: {answered.message.attempts}")
        if answered.kind == "courtesy":
            convo_id = _find_conversation(world, answered)
            courtesies[convo_id] -= 1
            if courtesies[convo_id] < 0:
                findings.lost.append(f"one of several {COURTESY!r} to {convo_id}")
        else:
            _audit_answer(world, answered, [one for _, one in traces.of(answered)], findings)
    findings.doubled += [
        f"{count} more {COURTESY!r} in {convo_id} than were said"
        for convo_id, count in courtesies.items()
        if count > 0
    ]
    _audit_strays(ledger, traces, effects, findings)
    _audit_order(ledger, traces, findings)


def _audit_answer(
    world: World, answered: Answered, found: list[Effect], findings: Findings
) -> None:
    name = f"{answered.token} ({answered.kind})"
    if answered.kind == "refused":
        findings.stray += [f"{name} had an effect" for _ in found]
        return
    if not found:
        findings.lost.append(f"{name} is not on Bluesky")
        return
    if answered.kind != "text":
        findings.doubled += [f"{name} is there twice"] * (len(found) - 1)
        return
    texts = list(dict.fromkeys(effect.text for effect in found))
    findings.doubled += [f"{name} is there twice"] * (len(found) - len(texts))
    if " ".join(_NUMBER.sub("", text) for text in texts) != answered.text:
        findings.lost.append(f"{name} is not whole on Bluesky: {len(texts)} parts")
    elif not _is_where_it_belongs(world, answered, found):
        findings.stray.append(f"{name} is not where it belongs")


def _is_where_it_belongs(world: World, answered: Answered, found: list[Effect]) -> bool:
    if answered.message.visibility == "private":
        convo_id = _find_conversation(world, answered)
        return all((one.collection, one.name) == (MESSAGE, convo_id) for one in found)
    chain = [answered.target or "", *(f"/{one.name}" for one in found)]
    return all(
        one.collection == POST and (one.target or "").endswith(above)
        for one, above in zip(found, chain, strict=False)
    )


def _find_conversation(world: World, answered: Answered) -> str:
    found = world.bluesky.chat.between(world.brand.did, answered.message.recipient_id)
    return found.convo_id if found else ""


def is_given_up(message: OutboundMessage) -> bool:
    """Whether its webhook came to nothing, through no answer of ours."""
    refused = any(isinstance(one, int) and one < 500 for one in message.attempts)
    return message.status == "failed" and not refused


def _audit_strays(ledger: Ledger, traces: _Traces, effects: Effects, findings: Findings) -> None:
    tokens = {answered.token for answered in ledger.answered}
    targets = {
        (f"app.bsky.feed.{answered.kind}", answered.target)
        for answered in ledger.answered
        if answered.kind in ("like", "repost")
    }
    unknown = [found for token, found in traces.by_token.items() if token not in tokens]
    unknown += [found for target, found in traces.by_target.items() if target not in targets]
    findings.stray += [f"{one.text or one} on Bluesky" for found in unknown for _, one in found]
    findings.stray += [f"a call of {nsid}" for nsid in effects.others]


def _audit_order(ledger: Ledger, traces: _Traces, findings: Findings) -> None:
    latest: dict[str, tuple[int, str]] = {}
    for answered in ledger.answered:
        positions = [position for position, _ in traces.of(answered)]
        if not positions or answered.kind == "courtesy":
            continue
        before, token = latest.get(answered.place, (-1, ""))
        if min(positions) < before:
            findings.disordered.append(f"{token} came after {answered.token} to Bluesky")
        latest[answered.place] = max((before, token), (max(positions), answered.token))


def _audit_receipts(ledger: Ledger, findings: Findings) -> None:
    for answered in ledger.answered:
        message = answered.message
        wanted = "Failed" if answered.kind == "refused" else "Delivered"
        told = {(one.status, one.reasons) for one in message.receipts}
        findings.repeats += max(0, len(message.receipts) - len(told))
        if not told:
            findings.receipts_missing.append(f"{answered.token} ({answered.kind})")
        elif told and wanted not in {status for status, _ in told}:
            findings.receipts_missing.append(f"{answered.token} is not {wanted} but {told}")
        findings.receipts_doubled += [f"{answered.token}: {told}"] * (len(told) - 1)
