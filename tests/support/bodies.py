"""Checks what was sent to Genesys Cloud against its official Swagger, where that is at hand."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.genesys.organization import Call
from tests.conftest import find_contracts
from tests.contracts.swagger import Swagger

_FILES = "/api/v2/downloads/"


def check_bodies(calls: Iterable[Call]) -> None:
    """Every request to the API must be one that the Swagger knows, with a body that it allows.

    Unknown and read-only properties are refused. Files are fetched from where a message says that
    they are, which is no operation. Without the contracts nothing is checked.
    """
    contracts = find_contracts()
    if contracts is None:
        return
    swagger = Swagger.load(contracts)
    for call in calls:
        if call.path.startswith("/api/") and not call.path.startswith(_FILES):
            assert swagger.check_request(call.method, call.path, call.body) == []
