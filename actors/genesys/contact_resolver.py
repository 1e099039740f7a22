"""ContactResolver: one external contact for each Bluesky account, created and kept up to date."""

from __future__ import annotations

import trio

from actors.genesys.client import GenesysClient
from actors.genesys.delivery import (
    CONFLICT,
    NOT_FOUND,
    Persistence,
    call,
    has_status,
    make_setting_fault,
)
from actors.genesys.endpoints import (
    CONTACTS,
    ENRICH_CONTACT,
    LOOK_UP_CONTACT,
    make_contact_path,
    make_external_source_path,
)
from actors.genesys.faults import PermissionMissing
from actors.genesys.models import Contact, ExternalSource, read_answer
from actors.messages import (
    Done,
    JournalEntry,
    Json,
    Outcome,
    Payload,
    Refused,
    ResolveContact,
)
from actors.settlement import settle
from actors.store import Store, Value
from actors.translation.contact import (
    ContactState,
    find_own_fields,
    make_contact,
    make_contact_changes,
    make_contact_state,
    make_enrichment,
    make_identifier,
    read_contact_state,
    write_contact_state,
)
from runtime.actor import Context
from runtime.errors import Malformed, Rejected, Retryable

WITHOUT_ENRICH_S = 3600.0
"""After a missing permission to enrich, contacts are looked up and written for so long."""

KEEP_STATE_S = 180 * 86400.0
"""What was written of a contact is remembered for so long; one that was deleted then comes back."""

_BAD_DIVISION = "invalid.division.id"


class ContactResolver:
    """Creates a contact on first sight, and updates it when handle or name changed.

    An upsert by the DID may be repeated. No message waits for it.

    Args:
        source_id: the external source whose identifiers DIDs are.
        division_id: the division that new contacts belong to.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        client: GenesysClient,
        persistence: Persistence,
        *,
        source_id: str,
        division_id: str,
    ) -> None:
        self._context = context
        self._store = store
        self._client = client
        self._persistence = persistence
        self._source_id = source_id
        self._division_id = division_id
        self._source_name: str | None = None
        self._no_enrich_until = float("-inf")

    async def handle(self, message: JournalEntry) -> None:
        """Deal with one account. If cancelled, it is delivered and dealt with again.

        Raises:
            AuthRejected: a person has to mend something. The entry is not settled.
        """
        try:
            values = await self._resolve(message.payload)
        except Malformed as error:
            self._context.failed(error)
            await self._settle(message, Refused("Malformed", str(error)))
        except Rejected as error:
            if error.code == _BAD_DIVISION:
                raise make_setting_fault(error, "GC_EC_DIVISION_ID") from error
            self._context.failed(error)
            await self._settle(message, self._persistence.judge(self._context, message, error))
        except Retryable as error:
            self._context.failed(error)
            await self._settle(message, self._persistence.put_off(self._context, message, error))
            await self._context.back_off(error)
        else:
            await settle(self._store, self._context, message, Done(), values=values)
            self._context.succeeded()

    async def _settle(self, entry: JournalEntry, outcome: Outcome) -> None:
        await settle(self._store, self._context, entry, outcome)

    async def _resolve(self, payload: Payload) -> tuple[Value, ...]:
        """Write what is not written yet; returns what is to be remembered of it."""
        if not isinstance(payload, ResolveContact):
            raise Malformed(f"{payload.kind} is nothing for ContactResolver")
        author = payload.author
        wanted = make_contact_state(
            author, source_id=self._source_id, division_id=self._division_id
        )
        known = read_contact_state(await self._store.read("contact", author.did))
        if known == wanted:
            return ()
        if known is not None and not known.is_in_place_of(wanted):
            known = None
        await self._write(wanted, known)
        return (Value("contact", author.did, write_contact_state(wanted), KEEP_STATE_S),)

    async def _write(self, wanted: ContactState, known: ContactState | None) -> None:
        source_name = await self._find_source_name()
        if trio.current_time() < self._no_enrich_until:
            await self._write_plainly(wanted, known, source_name)
            return
        # Only what was written before can have been changed since: there is nothing to look up.
        current = await self._look_up(wanted, source_name) if known is not None else None
        own = find_own_fields(known, current.fields() if current is not None else {})
        try:
            await self._call("POST", ENRICH_CONTACT, make_enrichment(wanted, source_name, own))
        except PermissionMissing:
            self._no_enrich_until = trio.current_time() + WITHOUT_ENRICH_S
            await self._write_plainly(wanted, known, source_name)

    async def _write_plainly(
        self, wanted: ContactState, known: ContactState | None, source_name: str
    ) -> None:
        """For organizations and roles that cannot enrich. Somebody else may create it meanwhile."""
        current = await self._look_up(wanted, source_name)
        if current is None:
            try:
                await self._call("POST", CONTACTS, make_contact(wanted, source_name))
                return
            except Rejected as error:
                if not has_status(error, CONFLICT):
                    raise
                current = await self._look_up(wanted, source_name)
                if current is None:
                    raise
        own = find_own_fields(known, current.fields())
        path = make_contact_path(current.id)
        await self._call("PATCH", path, make_contact_changes(wanted, own))

    async def _look_up(self, wanted: ContactState, source_name: str) -> Contact | None:
        try:
            answer = await self._call("POST", LOOK_UP_CONTACT, make_identifier(wanted, source_name))
        except Rejected as error:
            if has_status(error, NOT_FOUND):
                return None
            raise
        return read_answer(Contact, answer)

    async def _find_source_name(self) -> str:
        """Read once: the Swagger requires the name wherever the source is referred to."""
        if self._source_name is None:
            path = make_external_source_path(self._source_id)
            try:
                answer = await self._call("GET", path)
            except Rejected as error:
                if has_status(error, NOT_FOUND):
                    raise make_setting_fault(error, "GC_EXTERNAL_SOURCE_ID") from error
                raise
            self._source_name = read_answer(ExternalSource, answer).name
        return self._source_name

    async def _call(self, method: str, path: str, body: object = None) -> Json:
        return await call(self._context, self._client, method, path, body)
