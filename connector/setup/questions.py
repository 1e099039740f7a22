"""What an administrator is asked, and how an answer must look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from connector.environment import SettingsError, find_problem

PUBLIC_URL = "PUBLIC_URL"
WEBHOOK_PATH = "/webhook"
HTTPS_PORT = 443

_YES = {"y": "true", "yes": "true", "n": "false", "no": "false"}


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``variable`` is where the answer belongs; ``hidden`` ones are secrets.

    Without a terminal ``fallback`` is the answer; ``None`` when there must be one.
    """

    variable: str
    text: str
    hidden: bool = False
    proposal: str | None = None
    fallback: str | None = None


Ask = Callable[[Question], str]
"""Asks on the terminal."""

BLUESKY_URL = "https://bsky.social"

FIRST = (
    Question("BLUESKY_HANDLE", "Handle of the company's Bluesky account"),
    Question(
        "BLUESKY_APP_PASSWORD",
        "App password, made with “Allow access to your direct messages”",
        hidden=True,
    ),
    Question(
        "BLUESKY_SERVICE_URL",
        "Address of the account's server",
        proposal=BLUESKY_URL,
        fallback=BLUESKY_URL,
    ),
    Question("GC_REGION", "Genesys Cloud region, such as mypurecloud.com or mypurecloud.ie"),
    Question("GC_CC_CLIENT_ID", "Id of the OAuth client (grant type: Client Credentials)"),
    Question("GC_CC_CLIENT_SECRET", "Secret of the OAuth client", hidden=True),
    Question(
        "ENABLE_EXTERNAL_CONTACTS",
        "Keep an external contact for every customer, yes or no",
        proposal="yes",
        fallback="false",
    ),
)
"""What has to be known before anything can be looked at."""

ADDRESS = Question(PUBLIC_URL, "Public address of the connector, such as https://connector.example")

DIVISION = Question(
    "GC_EC_DIVISION_ID",
    "Id of the division for topic and contacts (Admin → Organization → Divisions)",
)


def answer_all(
    questions: Iterable[Question], given: Mapping[str, str], ask: Ask | None
) -> dict[str, str]:
    """An answer to every question, by variable: the given one, or one that is asked for.

    Raises:
        SettingsError: a given answer is wrong, or one is missing and nobody can be asked.
    """
    answers: dict[str, str] = {}
    problems: list[str] = []
    for question in questions:
        variable = question.variable
        found = given.get(variable)
        if found is None and ask is None:
            found = question.fallback
        if found is None and ask is not None and not problems:
            answers[variable] = ask(question)
        elif found is None:
            problems.append(find_problem_with(variable, "") or f"{variable}: missing")
        elif problem := find_problem_with(variable, found):
            problems.append(problem)
        else:
            answers[variable] = normalize(variable, found)
    if problems:
        raise SettingsError(problems)
    return answers


def find_problem_with(variable: str, answer: str) -> str | None:
    """What is wrong with an answer, in a line that names the variable; ``None`` if it is right."""
    if variable == PUBLIC_URL:
        return _find_problem_with_address(answer)
    if variable == DIVISION.variable:
        return None if answer else f"{variable}: missing; expected {DIVISION.text}"
    return find_problem(variable, normalize(variable, answer))


def normalize(variable: str, answer: str) -> str:
    """An answer as it is written down."""
    text = answer.strip()
    if variable == "ENABLE_EXTERNAL_CONTACTS":
        return _YES.get(text.lower(), text.lower())
    if variable == "BLUESKY_HANDLE":
        return text.removeprefix("@").lower()
    if variable in (PUBLIC_URL, "BLUESKY_SERVICE_URL"):
        return text.rstrip("/")
    return text


def make_webhook_url(public_url: str) -> str:
    """Where Genesys Cloud has to send agents' messages."""
    return f"{public_url.rstrip('/').removesuffix(WEBHOOK_PATH)}{WEBHOOK_PATH}"


def _find_problem_with_address(answer: str) -> str | None:
    expected = "expected an address such as https://connector.example"
    if not answer:
        return f"{PUBLIC_URL}: missing; {expected}"
    try:
        address = urlsplit(answer)
        port = address.port or HTTPS_PORT
    except ValueError:
        return f"{PUBLIC_URL}: not an address; {expected}"
    if address.scheme != "https" or not address.hostname or address.query or address.fragment:
        return f"{PUBLIC_URL}: {expected}"
    if port != HTTPS_PORT:
        return f"{PUBLIC_URL}: Genesys Cloud calls port {HTTPS_PORT} only, without another port"
    return None
