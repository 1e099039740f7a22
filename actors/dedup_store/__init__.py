"""DedupStore: the memory of all actors. The only code that knows Redis.

``docs/journal.md`` says how the journal lies in it.
"""

from __future__ import annotations

from actors.dedup_store.actor import DedupStore, refuse_poison
from actors.dedup_store.address import RedisAddress, parse_address
from actors.dedup_store.codec import decode_payload
from actors.dedup_store.commands import Commands
from actors.dedup_store.database import Database
from actors.dedup_store.forgetting import Forgetting, Forgotten
from actors.dedup_store.gauge import StoreGauge, StoreKind, StoreState
from actors.dedup_store.in_hand import InHand, Route
from actors.dedup_store.keys import Keys
from actors.dedup_store.lease import Lease
from actors.dedup_store.lease_keeper import give_up_lease
from actors.dedup_store.opening import open_database
from actors.dedup_store.scripts import load_scripts
from actors.dedup_store.sealing import KeyMissing, Sealer, parse_keys
from actors.dedup_store.server import ServerFacts, ask_server

__all__ = [
    "Commands",
    "Database",
    "DedupStore",
    "Forgetting",
    "Forgotten",
    "InHand",
    "KeyMissing",
    "Keys",
    "Lease",
    "RedisAddress",
    "Route",
    "Sealer",
    "ServerFacts",
    "StoreGauge",
    "StoreKind",
    "StoreState",
    "ask_server",
    "decode_payload",
    "give_up_lease",
    "load_scripts",
    "open_database",
    "parse_address",
    "parse_keys",
    "refuse_poison",
]
