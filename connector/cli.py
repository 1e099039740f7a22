"""The command line: ``bluesky-genesys run | check | sandbox``."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import click
import trio

from connector.environment import SettingsError, load_settings
from connector.settings import Settings
from runtime.failures import leaves

_CANNOT_START = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("bluesky-genesys"), prog_name="bluesky-genesys")
def main() -> None:
    """Connect a Bluesky account with Genesys Cloud.

    Settings come from the environment and from a .env file in the current folder.
    """


@main.command()
def run() -> None:
    """Run the connector until SIGTERM or Ctrl-C."""
    from connector.run import run_until_signal

    settings = _load_or_exit()
    sys.exit(_run_or_explain(run_until_signal, settings))


@main.command()
def check() -> None:
    """Log in to both sides and say what is right, what is wrong, and how to mend it."""
    from connector.check import check_everything

    settings = _load_or_exit()
    sys.exit(_run_or_explain(check_everything, settings, click.echo))


@main.command()
@click.option("--port", default=8100, show_default=True, help="Where the page is served.")
@click.option("--story", is_flag=True, help="Play a short conversation by itself, then stop.")
@click.option("--verbose", is_flag=True, help="Show the connector's log.")
def sandbox(*, port: int, story: bool, verbose: bool) -> None:
    """Try it out: a small Bluesky and a small Genesys Cloud on this machine."""
    from connector.sandbox import run_sandbox

    sys.exit(_run_or_explain(run_sandbox, port, story, verbose))


def _run_or_explain(command: Callable[..., Awaitable[int]], *arguments: object) -> int:
    """Run a command; what the system does not allow is said in a line, not in a traceback."""
    status = _CANNOT_START
    try:
        status = trio.run(command, *arguments)
    except* OSError as group:
        for error in leaves(group):
            click.echo(f"The connector cannot run here: {error}", err=True)
        click.echo("Check HOST and PORT, and that STATE_DIR is a folder to write in.", err=True)
    return status


def _load_or_exit() -> Settings:
    try:
        return load_settings(os.environ, Path(".env"))
    except SettingsError as error:
        _refuse(error)


def _refuse(error: SettingsError) -> NoReturn:
    click.echo("The connector cannot start with these settings:\n", err=True)
    for problem in error.problems:
        click.echo(f"  {problem}", err=True)
    click.echo("\nEvery variable is explained in README.md and .env.example.", err=True)
    sys.exit(_CANNOT_START)


if __name__ == "__main__":
    main()
