"""An administrator who sets up a connector between two sandbox platforms, over sockets."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connector.setup.command import set_up
from connector.setup.console import Console
from connector.setup.env_file import read_values
from connector.setup.given import Given
from connector.setup.permissions import NOWHERE
from connector.setup.questions import Question
from sandbox.genesys.organization import Call
from sandbox.world import BRAND_PASSWORD, World, open_world
from tests.support.bodies import check_bodies

PUBLIC_URL = "https://connector.example"
WEBHOOK_URL = f"{PUBLIC_URL}/webhook"


@dataclass
class Administrator:
    """What is given, what is typed, and what was said.

    ``environ`` holds the addresses of the sandbox and the store, which nobody is asked for.
    """

    world: World
    env_path: Path
    environ: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] | None = None
    agrees: bool | None = None
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def set_up(self, *, yes: bool = False, dry_run: bool = False) -> int:
        """Run it once; returns the exit status. ``said`` and ``asked`` are of this run alone."""
        self.said.clear()
        self.asked.clear()
        console = Console(
            tell=self.said.append,
            complain=self.said.append,
            ask=None if self.typed is None else self._type,
            confirm=None if self.agrees is None else self._confirm,
            yes=yes,
            dry_run=dry_run,
        )
        return await set_up(console, Given(self.options, self.environ, self.env_path))

    @property
    def told(self) -> str:
        """All that was said in the last run."""
        return "\n".join(self.said)

    @property
    def env(self) -> dict[str, str]:
        """What ``.env`` says."""
        return read_values(self.env_path)

    def count_logins(self) -> int:
        """How often somebody logged in to Bluesky."""
        return len(self.world.bluesky.calls.all("com.atproto.server.createSession"))

    def changes(self) -> list[Call]:
        """The requests that may have changed something in Genesys Cloud.

        Not among them are those about nothing (:data:`NOWHERE`), and rehearsals.
        """
        return [
            call
            for call in self.world.genesys.calls
            if call.method != "GET"
            and call.path != "/oauth/token"
            and NOWHERE not in call.path
            and "dryRun=true" not in call.path
            and "/identifierlookup/" not in call.path
        ]

    def things(self) -> dict[str, int]:
        """How many there are of each in Genesys Cloud."""
        setup = self.world.genesys.setup
        return {
            "sources": len(setup.sources),
            "integrations": len(setup.integrations),
            "topics": len(setup.topics),
            "rules": sum(len(topic.rules) for topic in setup.topics.values()),
            "resolving": sum(
                integration.identity_resolution["resolveIdentities"]
                for integration in setup.integrations.values()
            ),
        }

    def _type(self, question: Question) -> str:
        self.asked.append(question.variable)
        assert self.typed is not None
        return self.typed[question.variable]

    def _confirm(self, question: str) -> bool:
        self.asked.append(question)
        assert self.agrees is not None
        return self.agrees


ONE_OF_EACH = {"sources": 1, "integrations": 1, "topics": 1, "rules": 1, "resolving": 1}
NOTHING = dict.fromkeys(ONE_OF_EACH, 0)


def make_answers(world: World) -> dict[str, str]:
    """All that an administrator knows beforehand."""
    genesys = world.genesys
    return {
        "BLUESKY_HANDLE": world.brand.handle,
        "BLUESKY_APP_PASSWORD": BRAND_PASSWORD,
        "BLUESKY_SERVICE_URL": world.bluesky_url,
        "GC_REGION": genesys.region,
        "GC_CC_CLIENT_ID": genesys.client_id,
        "GC_CC_CLIENT_SECRET": genesys.client_secret,
        "ENABLE_EXTERNAL_CONTACTS": "true",
        "GC_EC_DIVISION_ID": genesys.division_id,
        "PUBLIC_URL": PUBLIC_URL,
    }


@asynccontextmanager
async def open_office(
    folder: Path, store: Mapping[str, str], *, empty: bool = True
) -> AsyncIterator[Administrator]:
    """An administrator with all answers in the environment, and an organization to set up.

    Afterwards every body that was sent to Genesys is checked against the Swagger.
    """
    async with open_world(random.SystemRandom()) as world:
        if empty:
            world.genesys.setup.clear()
        addresses = {"GC_API_URL": world.genesys_url, "GC_LOGIN_URL": world.genesys_url}
        environ = {**addresses, **store, **make_answers(world)}
        yield Administrator(world, folder / ".env", environ)
    check_bodies(world.genesys.calls)
