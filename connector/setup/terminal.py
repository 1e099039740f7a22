"""Questions as click asks them."""

from __future__ import annotations

from collections.abc import Mapping

import click

from connector.setup.questions import PUBLIC_URL, Question, find_problem_with, normalize

_OPTIONS = {
    "handle": "BLUESKY_HANDLE",
    "service_url": "BLUESKY_SERVICE_URL",
    "region": "GC_REGION",
    "client_id": "GC_CC_CLIENT_ID",
    "public_url": PUBLIC_URL,
    "division_id": "GC_EC_DIVISION_ID",
    "contacts": "ENABLE_EXTERNAL_CONTACTS",
}


def ask(question: Question) -> str:
    """Ask until the answer is right. What is typed for a secret is not shown."""

    def read(text: str) -> str:
        problem = find_problem_with(question.variable, text)
        if problem is not None:
            raise click.BadParameter(problem)
        return normalize(question.variable, text)

    answer: str = click.prompt(
        question.text,
        default=question.proposal,
        hide_input=question.hidden,
        value_proc=read,
        prompt_suffix=": ",
    )
    return answer


def read_options(options: Mapping[str, str | bool | None]) -> dict[str, str]:
    """The options that were given, by the variables that they stand for."""
    return {
        _OPTIONS[name]: normalize(_OPTIONS[name], str(value))
        for name, value in options.items()
        if value is not None
    }
