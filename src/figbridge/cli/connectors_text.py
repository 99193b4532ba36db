"""Plans and states of connectors as text for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import click

from figbridge.cli.output import table

if TYPE_CHECKING:
    from figbridge.operations.connectors.look import Status
    from figbridge.operations.connectors.plan import Change, Plan, SettingChange

_MARKS: Final = {
    "create": ("+", "green"),
    "change": ("~", "yellow"),
    "foreign": ("?", "cyan"),
    "conflict": ("!", "red"),
}
_LONGEST: Final = 100


def plan_text(plan: Plan, *, done: bool = False) -> None:
    """Print a plan as a diff, and its digest; or what was done."""
    for kind, changes in (("topic", plan.topics), ("connector", plan.connectors)):
        for change in changes:
            if change.act.value != "keep" and not (done and change.act.value == "foreign"):
                _change(kind, change)
    acts = [c.act.value for c in (*plan.topics, *plan.connectors)]
    counts = {act: acts.count(act) for act in ("create", "change", "keep", "conflict")}
    if not counts["create"] + counts["change"] + counts["conflict"]:
        click.echo(f"Nothing to do: {counts['keep']} as the files want them.  Plan {plan.digest}")
        return
    words = ("created", "changed") if done else ("to create", "to change")
    text = f"{counts['create']} {words[0]}, {counts['change']} {words[1]}, {counts['keep']} as the files want them"
    wrong = f", {counts['conflict']} in conflict" if counts["conflict"] else ""
    click.echo(f"{text}{wrong}.  Plan {plan.digest}")


def _change(kind: str, change: Change) -> None:
    mark, colour = _MARKS[change.act.value]
    state = f"  ({change.state})" if change.state else ""
    click.secho(f"{mark} {kind} {change.name}{state}", fg=colour)
    for setting in change.settings:
        click.echo(f"    {_setting(setting)}")
    if change.note:
        click.echo(f"    # {change.note}")
    if change.settings or change.note:
        click.echo()


def _setting(setting: SettingChange) -> str:
    if setting.old is None:
        return f"+ {setting.setting} = {_value(setting.new)}"
    if setting.new is None:
        return f"- {setting.setting} = {_value(setting.old)}"
    return f"~ {setting.setting} = {_value(setting.old)} -> {_value(setting.new)}"


def _value(value: str | None) -> str:
    text = "" if value is None else value
    return f'"{text}"' if len(text) <= _LONGEST else f'"{text[:_LONGEST]}…" ({len(text)} characters)'


def status_text(statuses: Iterable[Status]) -> None:
    """Print what connectors do, and why it is believed."""
    rows = [
        (
            s.name,
            s.motion.value,
            s.state,
            s.position,
            "" if s.behind_bytes is None else f"{s.behind_bytes:,}",
            s.log_end,
            s.why,
        )
        for s in statuses
    ]
    table(
        ["connector", "does", "Connect says", "position", "bytes behind", "log end", "what shows it"],
        rows,
        "no connectors",
    )
