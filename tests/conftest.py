"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contracts.swagger import Swagger

ROOT = Path(__file__).resolve().parents[1]


def find_contracts() -> Path | None:
    """Where the platforms' official contracts are, if they are on this machine."""
    default = ROOT.parent / "shared" / "contracts"
    found = Path(os.environ.get("CONNECTOR_CONTRACTS", default))
    return found if found.is_dir() else None


@pytest.fixture(scope="session")
def contracts_dir() -> Path:
    """The platforms' official contracts; tests that need them are skipped where they are absent."""
    found = find_contracts()
    if found is None:
        pytest.skip("no contracts on this machine: CONNECTOR_CONTRACTS may name them")
    return found


@pytest.fixture(scope="session")
def swagger(contracts_dir: Path) -> Swagger:
    """The official Genesys Cloud Swagger, to check what is sent to Genesys."""
    return Swagger.load(contracts_dir)
