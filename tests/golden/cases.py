"""The cases: ``NAME.input.json``, and beside it ``NAME.expected.json``.

An input in ``posts`` holds the ``post`` as the AppView shows it, the ``reason`` why it is of
interest, and where that is known the author's ``account`` (``getProfiles``). One in ``messages``
holds ``convoId``, the ``message`` view, the ``sender``'s profile, and for a reaction to the message
the ``reaction``. What is expected is the body for Genesys Cloud.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.messages import InboundDirectMessage
from actors.translation.inbound import translate_message, translate_post, translate_reaction
from actors.translation.inbound_views import ProfileView
from actors.translation.open_message import make_private_message, make_public_message

HERE = Path(__file__).parent
INPUT, EXPECTED = ".input.json", ".expected.json"


@dataclass(frozen=True, slots=True)
class Case:
    """One input, and what becomes of it. ``kind`` is the folder: ``posts`` or ``messages``."""

    kind: str
    name: str

    @property
    def input_file(self) -> Path:
        """What Bluesky shows."""
        return HERE / self.kind / f"{self.name}{INPUT}"

    @property
    def expected_file(self) -> Path:
        """What Genesys Cloud is sent."""
        return HERE / self.kind / f"{self.name}{EXPECTED}"

    def translate(self) -> dict[str, Any]:
        """The body that the input becomes now."""
        given = read(self.input_file)
        if self.kind == "messages":
            return make_private_message(_translate_message(given))
        account = given.get("account")
        known = ProfileView.model_validate(account) if account else None
        return make_public_message(translate_post(given["post"], given["reason"], known))


def list_cases() -> list[Case]:
    """All cases, by their inputs."""
    files = sorted(HERE.glob(f"*/*{INPUT}"))
    return [Case(file.parent.name, file.name.removesuffix(INPUT)) for file in files]


def read(file: Path) -> Any:  # noqa: ANN401 (JSON)
    """The JSON in a file."""
    return json.loads(file.read_text("utf-8"))


def write(file: Path, value: object) -> None:
    """Write JSON so that it can be read, and compared line by line."""
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _translate_message(given: dict[str, Any]) -> InboundDirectMessage:
    sender = ProfileView.model_validate(given["sender"])
    if "reaction" in given:
        return translate_reaction(given["reaction"], given["message"], given["convoId"], sender)
    return translate_message(given["message"], given["convoId"], sender)
