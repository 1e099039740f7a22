"""What an administrator may set, by mistake or by pasting one value into another's place."""

from __future__ import annotations

from hypothesis import strategies as st

from connector.environment import SettingsError, find_problem, load_settings
from connector.settings import ACTOR_FIELDS, SECRET_FIELDS, Settings
from tests.connector.test_settings import REQUIRED
from tests.fuzz.making import TEXTS, make_bytes, make_text
from tests.fuzz.target import Arguments, Target, expect

MARK = "hush5ecret"
"""In the value of every secret."""

_NAMES = sorted(name.upper() for name in Settings.model_fields if name not in ACTOR_FIELDS)
_KNOBS = [f"{name.upper()}_{knob}" for name in ACTOR_FIELDS for knob in ("RATE", "CONCURRENCY")]


def _check_settings(pieces: Arguments) -> None:
    """The settings or every problem by a variable's name, and no secret either way."""
    environ = dict(REQUIRED)
    for name, value in zip(pieces[::2], pieces[1::2], strict=False):
        text = make_text(value)
        secret = make_text(name).lower() in SECRET_FIELDS
        environ[make_text(name)] = f"{text}{MARK}{text}" if secret else text
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        expect(bool(error.problems))
        expect(MARK not in str(error))
    else:
        expect(MARK not in repr(settings))
    for variable, given in environ.items():
        problem = find_problem(variable, given)
        expect(problem is None or MARK not in problem)


_VALUES = TEXTS | st.sampled_from(
    ["", " ", "0", "-1", "1e999", "nan", "inf", "9" * 5000, "true", "https://", "http://[::1",
     "https://user:pass@x.example", "redis://:pw@[::1", "redis://x:99999999", "rediss://", "1/0s",
     "10/60s", "1d", "99999999999999999999d", "0.0.0.0/0", "1.2.3.4/99", "::/0", "plain", "a,b",
     "/", "\x00", "${HOME}", "all", "none", "en,de", "wss://x", "٣", "10/٣s", "1_000"]
)  # fmt: skip
_PAIRS = st.tuples(
    st.sampled_from([*_NAMES, *_KNOBS]), _VALUES.filter(lambda one: "\x00" not in one)
)


def _flatten(pairs: list[tuple[str, str]]) -> Arguments:
    return tuple(make_bytes(text) for pair in pairs for text in pair)


TARGETS = {"settings": Target(_check_settings, st.lists(_PAIRS, max_size=4).map(_flatten))}
