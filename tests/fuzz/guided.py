"""``python -m tests.fuzz.guided TARGET SECONDS FOLDER``: inputs led by what code they reach.

atheris (libFuzzer) chooses the bytes of which hypothesis makes the inputs, so every target can be
fuzzed both ways. It ends the process itself, so each target has one of its own.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INSTRUMENTED = ("actors", "connector", "runtime")


def main(name: str, seconds: int, folder: str) -> None:
    """Fuzz one target for so long. Does not return: exit status 0 if no promise was broken.

    Args:
        folder: for the bytes that broke one.
    """
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(INSTRUMENTED), enable_loader_override=False):
        target = importlib.import_module("tests.fuzz.targets").TARGETS[name]

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        target.check(data.draw(target.inputs))

    fuzzed: Any = check
    limits = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *limits], fuzzed.hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
