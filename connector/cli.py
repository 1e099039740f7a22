"""The command line: ``bluesky-genesys COMMAND``."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import click
import trio

from connector.environment import SettingsError, load_settings, read_names
from connector.mistyped import find_mistyped
from connector.settings import Settings
from runtime.failures import leaves

_CANNOT_START = 2
_INTERRUPTED = 130


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


@main.command(short_help="Say what is right, what is wrong, and how to mend it.")
@click.option(
    "--webhook-url",
    metavar="URL",
    help="Try the webhook through this address; without it, through the integration's own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def check(*, webhook_url: str | None, as_json: bool) -> None:
    """Log in to both sides and say what is right, what is wrong, and how to mend it."""
    from connector.check import Order, check_everything

    settings = _load_or_exit()
    sys.exit(_run_or_explain(check_everything, settings, Order(_tell, webhook_url, as_json)))


@main.command(short_help="Take in once what was said before.")
@click.option(
    "--since", required=True, metavar="TIME", help="Such as 2d or 36h, or a date: 2026-11-24 (UTC)."
)
@click.option("--dry-run", is_flag=True, help="Only count what would be taken in.")
def backfill(*, since: str, dry_run: bool) -> None:
    """Take in once what was said before the connector was there.

    Mentions, replies, quotes, search hits and direct messages. What was taken in is not doubled,
    so it may run beside a connector, be interrupted, and be repeated.
    """
    from connector.backfill import Order, backfill, read_since

    settings = _load_or_exit()
    try:
        since_s = read_since(since, time.time())
    except ValueError as error:
        raise click.BadParameter(f"{since}: {error}", param_hint="--since") from error
    complain = partial(click.echo, err=True)
    sys.exit(_run_or_explain(backfill, settings, Order(since_s, dry_run, _tell, complain)))


@main.command(short_help="Ask for what is needed, make it, and write .env.")
@click.option("--handle", help="BLUESKY_HANDLE: the company's account.")
@click.option("--service-url", help="BLUESKY_SERVICE_URL: the account's server.")
@click.option("--region", help="GC_REGION: the region's domain.")
@click.option("--client-id", help="GC_CC_CLIENT_ID: the OAuth client.")
@click.option("--public-url", help="Where Genesys Cloud reaches the connector: https://…")
@click.option("--division-id", help="GC_EC_DIVISION_ID: where topic and contacts belong.")
@click.option("--contacts/--no-contacts", default=None, help="ENABLE_EXTERNAL_CONTACTS.")
@click.option("--yes", is_flag=True, help="Overwrite what exists without being asked.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def setup(**options: str | bool | None) -> None:
    """Ask for what is needed, make what is missing in Genesys Cloud, and write .env.

    Whatever the environment or .env says already is not asked. The secrets have no options, because
    others could read those: BLUESKY_APP_PASSWORD and GC_CC_CLIENT_SECRET, or NAME_FILE with the
    name of a file. May be repeated at any time: what is there stays.
    """
    from connector.setup.command import set_up
    from connector.setup.console import Console
    from connector.setup.given import Given
    from connector.setup.terminal import ask, read_options

    at_terminal = sys.stdin.isatty()
    console = Console(
        tell=_tell,
        complain=partial(click.echo, err=True),
        ask=ask if at_terminal else None,
        confirm=click.confirm if at_terminal else None,
        yes=bool(options.pop("yes")),
        dry_run=bool(options.pop("dry_run")),
    )
    given = Given(read_options(options), os.environ, Path(".env"))
    sys.exit(_run_or_explain(set_up, console, given))


@main.group("dead-letters", short_help="Look at what could not be carried; replay or drop it.")
def dead_letters() -> None:
    """Look at what could not be carried; have it tried again, or drop it.

    Works beside a connector that runs, and while none does. An ID may be the beginning of one, as
    long as it is the only one that begins so.
    """


@dead_letters.command("list")
def list_dead_letters() -> None:
    """Show all, the latest to die first, without their content."""
    from connector.dead_letters import list_letters

    _see_to_store(list_letters)


@dead_letters.command("show")
@click.argument("letter_id", metavar="ID")
def show_dead_letter(letter_id: str) -> None:
    """Show one whole, its content included."""
    from connector.dead_letters import show_letter

    _see_to_store(show_letter, letter_id)


@dead_letters.command("replay")
@click.argument("letter_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All that can be put back.")
def replay_dead_letters(*, letter_id: str | None, everything: bool) -> None:
    """Put it back, to be carried as if it had just come."""
    from connector.dead_letters import replay_all, replay_letter

    if (letter_id is None) is not everything:
        raise click.UsageError("Name one ID, or say --all.")
    if letter_id is None:
        _see_to_store(replay_all)
    else:
        _see_to_store(replay_letter, letter_id)


@dead_letters.command("drop")
@click.argument("letter_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_dead_letter(*, letter_id: str, yes: bool) -> None:
    """Remove one for good."""
    from connector.dead_letters import drop_letter

    _see_to_store(partial(drop_letter, sure=yes), letter_id)


@main.command()
@click.argument("person", metavar="DID|HANDLE")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(*, person: str, dry_run: bool, yes: bool) -> None:
    """Remove what the store has of a person, and say what it was.

    Works beside a connector that runs, and while none does.
    """
    from connector.forgetting import forget_person

    _see_to_store(partial(forget_person, dry_run=dry_run, sure=yes), person)


def _see_to_store(command: Callable[..., Awaitable[None]], *arguments: str) -> NoReturn:
    from connector.dead_letters import Console, explain

    settings = _load_or_exit()
    console = Console(
        tell=_tell,
        complain=partial(click.echo, err=True),
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
        confirm=click.confirm if sys.stdin.isatty() else None,
    )
    sys.exit(_run_or_explain(explain, console, partial(command, settings, console, *arguments)))


def _tell(line: str) -> None:
    """Print a line. If nobody reads on, as behind ``| head``, the work is done all the same."""
    try:
        click.echo(line)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@main.command(short_help="Try it out, with both platforms on this machine.")
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
    except* KeyboardInterrupt:
        status = _INTERRUPTED
        click.echo("Interrupted.", err=True)
    return status


def _load_or_exit() -> Settings:
    env_file = Path(".env")
    for line in find_mistyped(read_names(os.environ, env_file)):
        click.echo(f"Warning: {line}", err=True)
    try:
        return load_settings(os.environ, env_file)
    except SettingsError as error:
        _refuse(error)


def _refuse(error: SettingsError) -> NoReturn:
    click.echo("The connector cannot start with these settings:\n", err=True)
    for problem in error.problems:
        click.echo(f"  {problem}", err=True)
    click.echo("\nEvery variable is explained in docs/settings.md and .env.example.", err=True)
    sys.exit(_CANNOT_START)


if __name__ == "__main__":
    main()
