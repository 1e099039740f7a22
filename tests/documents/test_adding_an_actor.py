"""docs/adding-an-actor.md: its code is run as it stands, under the real supervisor."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from trio.testing import MockClock

from runtime.statistics import ActorStatistics
from tests.conftest import ROOT
from tests.runtime.scripted import Recorder

PAGE = (ROOT / "docs" / "adding-an-actor.md").read_text("utf-8")
CODE = "\n\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
LONG_S = 600.0


def _load() -> Any:  # noqa: ANN401 (a module of the page's names)
    module = ModuleType("adding_an_actor")
    sys.modules[module.__name__] = module
    try:
        exec(compile(CODE, "docs/adding-an-actor.md", "exec"), module.__dict__)  # noqa: S102
    finally:
        del sys.modules[module.__name__]
    return module


async def test_the_example_crashes_and_recovers(autojump_clock: MockClock) -> None:
    """What the page says of it is what happens."""
    page = _load()
    post, log = page.Unreliable(), Recorder()
    notices = [page.Notice("a", "first"), page.Notice("b", "poison"), page.Notice("c", "last")]
    statistics: ActorStatistics
    statistics, buried = await page.try_out(post, notices, log, for_s=LONG_S)

    assert post.posted == ["a", "c"]
    assert buried == [notices[1]]
    assert statistics.state == "running"
    assert (statistics.handled, statistics.restarts) == (2, 6)
    assert statistics.last_error is not None
    assert statistics.last_error.type == "ValueError"
    assert "never be posted" not in statistics.last_error.message
    assert "in __call__" in statistics.last_error.message
    assert len(log.of("actor crashed")) == 6
    assert len(log.of("actor backing off")) == 1


def test_the_example_is_as_strict_as_the_rest(tmp_path: Path) -> None:
    """Who starts from it starts from code that mypy --strict takes."""
    example = tmp_path / "example.py"
    example.write_text(CODE, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", str(example)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
