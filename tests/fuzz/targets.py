"""All that is fuzzed. A further one is an entry in one of these tables."""

from __future__ import annotations

from tests.fuzz import content, front, kept, stream, variables
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    **front.TARGETS,
    **content.TARGETS,
    **kept.TARGETS,
    **stream.TARGETS,
    **variables.TARGETS,
}
