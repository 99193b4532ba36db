"""The command `figbridge`: nouns and verbs, each in a module of its own that is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from figbridge.cli.exits import Exit, exit_for
from figbridge.errors import ConfigurationError, FigbridgeError

_COMMANDS = {
    "authority": ("Who owns which fact: show, history, who-owned, verify, grant.", "figbridge.cli.authority:authority"),
    "config": ("Show the settings in force, and where each comes from.", "figbridge.cli.config:config"),
    "connectors": (
        "Debezium in Kafka Connect: plan, apply, status, snapshot, pause, resume.",
        "figbridge.cli.connectors:connectors",
    ),
    "dead-letters": (
        "Records that cannot be used: list, show, replay, discard.",
        "figbridge.cli.dead_letters:dead_letters",
    ),
    "demo": ("Watch a real monolith's rows become routed events, in about a minute.", "figbridge.cli.demo:demo"),
    "doctor": ("Check databases, connectors, topics and mappings; it never writes.", "figbridge.cli.doctor:doctor"),
    "explain": ("Show what became of one record, step by step, and why.", "figbridge.cli.explain:explain"),
    "holes": (
        "Transactions that may have lost rows: list, show, check, accept.",
        "figbridge.cli.holes:holes",
    ),
    "mapping": ("Check, test and show mappings.", "figbridge.cli.mapping:mapping"),
    "parked": ("Keys that are set aside: list, show, release, discard.", "figbridge.cli.parked:parked"),
    "replay": ("Run captured records through the mappings, without any server.", "figbridge.cli.replay:replay"),
    "run": ("Run the bridge.", "figbridge.cli.run:run"),
    "sandbox": ("Real Kafka, Connect and databases on this computer, without Docker.", "figbridge.cli.sandbox:sandbox"),
    "status": ("Show both ledgers, lag, parked keys and suspects.", "figbridge.cli.status:status"),
    "version": ("Print the version.", "figbridge.cli.version:version"),
}


class Lazy(click.Group):
    """Know every command by its name and line of help; import its module when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's
        """Return the names of all commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 — click's
        """Import a command; None for one that does not exist."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][1].partition(":")
        found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][0]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one gets a hint at the nearest."""
        name = args[0]
        if not name.startswith("-") and name not in _COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"No such command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Bridge a monolith and the services that strangle it.

    Row changes become domain events, and each event goes where the owner of its fact says.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 findings or differences, 4 precondition refused, 130 interrupted.
    """


def main() -> None:
    """Run the command line, and end with one of the documented exit codes."""
    sys.exit(int(run(sys.argv[1:])))


def run(arguments: list[str]) -> Exit:
    """Run one command; errors are one sentence and a hint on stderr, never a traceback."""
    try:
        ended = cli.main(arguments, prog_name="figbridge", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    except click.UsageError as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return Exit.FAILED
    except FigbridgeError as error:
        _complain(error)
        return exit_for(error)
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone; nothing more can be said to it
        return Exit.FAILED
    return ended if isinstance(ended, Exit) else Exit(ended) if isinstance(ended, int) else Exit.OK


def _complain(error: FigbridgeError) -> None:
    if isinstance(error, ConfigurationError):
        for finding in error.findings:
            click.echo(str(finding), err=True)
        count = len(error.findings)
        click.echo(f"{count} finding{'' if count == 1 else 's'}", err=True)
        return
    click.echo(f"error: {error.code} {error.message}", err=True)
    if error.hint:
        click.echo(f"hint:  {error.hint}", err=True)


if __name__ == "__main__":
    main()
