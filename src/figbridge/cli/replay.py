"""`figbridge replay`."""

from __future__ import annotations

from pathlib import Path

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import FILE, mappings_option
from figbridge.cli.output import line, output_option, plain
from figbridge.cli.progress import progress


@click.command()
@mappings_option
@click.option(
    "--records", "-r", "files", type=FILE, multiple=True, required=True, help="Captured records: .jsonl or .jsonl.gz."
)
@output_option
def replay(mappings: Path, files: tuple[Path, ...], fmt: str) -> Exit:
    """Run captured records through the mappings, without any server.

    Prints one line for each outcome (event, shadow, unauthorised, suppressed, parked, dead) and, last, the account:
    what every record read and every claim made was counted as. Several files are replayed one by one and accounted
    together.
    """
    from figbridge import bootstrap
    from figbridge.operations.replay import Replay
    from figbridge.pipeline.account import Account
    from figbridge.pipeline.perform import Topics

    documents = bootstrap.documents(mappings)
    plan = bootstrap.plan(documents)
    authority = bootstrap.declared_authority(documents)
    total = Account()
    for file in files:
        replayed = Replay(plan, bootstrap.edge(plan, Topics()), authority)
        for told in replayed.run(progress(bootstrap.capture(file), f"replaying {file.name}", "records")):
            line(fmt, {told.kind: told.body}, f"{told.kind:<12} {_in_words(told.kind, told.body)}")
        assert replayed.account is not None
        total = total.add(replayed.account)
    account = total.as_dict()
    line(fmt, {"account": account}, account_text(account))
    return Exit.OK


def _in_words(kind: str, body: dict[str, object]) -> str:
    if kind in ("event", "shadow", "unauthorised"):
        return f"{body['type']} {body['subject']}  {plain(body['data'])}  ({body['fact']}, {body['id']})"
    rest = ", ".join(f"{k} {v}" for k, v in body.items() if k not in ("reason", "position", "why"))
    why = body.get("reason") or body.get("why") or ""
    return f"{rest + ': ' if rest else ''}{why}  ({body.get('position')})"


def account_text(account: dict[str, dict[str, int]]) -> str:
    """Return both ledgers as text, one line each."""
    lines = []
    for ledger, counts in account.items():
        head, *rest = counts.items()
        parts = " + ".join(f"{n} {name}" for name, n in rest if n)
        lines.append(f"{ledger}: {head[1]} {head[0]} = {parts or '0'}")
    return "\n".join(lines)
