"""``python -m bench.bare KIND``: one bare loop in a process of its own, until it is ended."""

from __future__ import annotations

import click
import trio

from bench.bare.inbound import carry_in
from bench.bare.outbound import carry_out
from bench.bare.webhooks import answer_only, relay


@click.group()
def main() -> None:
    """Run one of the bare loops. Those that listen print their port."""


@main.command()
@click.argument("url")
@click.argument("at_once", type=int)
def inbound(url: str, at_once: int) -> None:
    """List, fetch, ingest."""
    trio.run(carry_in, url, at_once, False)


@main.command("inbound-contacts")
@click.argument("url")
@click.argument("at_once", type=int)
def inbound_with_contacts(url: str, at_once: int) -> None:
    """List, fetch, ingest, and write a contact for each author."""
    trio.run(carry_in, url, at_once, True)


@main.command()
@click.argument("url")
@click.argument("at_once", type=int)
@click.argument("count", type=int)
def outbound(url: str, at_once: int, count: int) -> None:
    """Write and send receipts, without webhooks."""
    trio.run(carry_out, url, at_once, count)


@main.command("relay")
@click.argument("url")
@click.argument("at_once", type=int)
def relay_webhooks(url: str, at_once: int) -> None:
    """Take webhooks, look, write, send receipts."""
    trio.run(relay, url, at_once)


@main.command()
def webhooks() -> None:
    """Answer webhooks."""
    trio.run(answer_only)


if __name__ == "__main__":
    main()
