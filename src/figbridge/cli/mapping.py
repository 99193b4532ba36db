"""`figbridge mapping lint | test | show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import mappings_option
from figbridge.cli.output import output_option, show, table
from figbridge.errors import ConfigurationError, Finding


@click.group()
def mapping() -> None:
    """Check, test and show mappings."""


@mapping.command()
@mappings_option
@output_option
def lint(mappings: Path, fmt: str) -> Exit:
    """Check every document: each finding with its place, code and hint. Exit 3 when there is one."""
    from figbridge import bootstrap
    from figbridge.mapping.loader import load_tables
    from figbridge.mapping.rules import lint as lint_documents

    try:
        documents = bootstrap.documents(mappings)
        findings = lint_documents(documents, load_tables(mappings))
        bootstrap.plan(documents)
    except ConfigurationError as error:
        findings = error.findings

    def text() -> None:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")

    show(fmt, [_as_dict(f) for f in findings], text)
    return Exit.FINDINGS if findings else Exit.OK


def _as_dict(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "code": finding.code,
        "message": finding.message,
        "hint": finding.hint,
    }


@mapping.command()
@mappings_option
@click.option("--only", metavar="TEXT", default="", help="Only tests whose mapping or name contains this text.")
@output_option
def test(mappings: Path, only: str, fmt: str) -> Exit:
    """Run the tests beside the mappings. Exit 3 when one fails."""
    from figbridge import bootstrap
    from figbridge.operations.mapping_tests import run_tests

    documents = bootstrap.documents(mappings)
    outcomes = [
        o for o in run_tests(bootstrap.plan(documents), documents.mappings) if only in f"{o.mapping} {o.test.name}"
    ]
    if only and not outcomes:
        raise click.UsageError(f"no test contains '{only}'")
    failed = [o for o in outcomes if not o.passed]

    def text() -> None:
        for outcome in failed:
            click.echo(f"FAILED  {outcome.mapping}: {outcome.test.name}  ({outcome.test.place})")
            for difference in outcome.differences:
                click.echo(f"          {difference}")
        click.echo(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")

    result = [
        {
            "mapping": o.mapping,
            "test": o.test.name,
            "place": str(o.test.place),
            "passed": o.passed,
            "differences": list(o.differences),
        }
        for o in outcomes
    ]
    show(fmt, result, text)
    return Exit.FINDINGS if failed else Exit.OK


@mapping.command("show")
@click.argument("name", required=False)
@mappings_option
@click.option("--code", is_flag=True, help="Print the Python that the mapping compiles to.")
@output_option
def show_(name: str | None, mappings: Path, code: bool, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Show what a mapping reads, says and must remember, with the reason and the cost."""
    from figbridge import bootstrap
    from figbridge.operations.mapping_show import described

    plan = bootstrap.plan(bootstrap.documents(mappings))
    if name is not None and name not in plan.mappings:
        raise click.UsageError(f"there is no mapping '{name}' (known: {', '.join(sorted(plan.mappings))})")
    names = [name] if name is not None else sorted(plan.mappings)
    if code:
        code_of = {n: plan.mappings[n].source for n in names}
        show(fmt, code_of, lambda: click.echo("\n".join(code_of.values())))
        return Exit.OK
    found = [described(plan, n) for n in names]

    def text() -> None:
        for one in found:
            click.echo(f"{one.mapping} (version {one.version}): {one.aggregate} from {one.table}")
            table(["fact", "attributes"], [(f, ", ".join(a)) for f, a in one.facts.items()], "no facts")
            table(["event", "fact", "happens when"], [(e.type, e.fact, e.when) for e in one.events], "no events")
            rows = [(n.table, n.what, n.why) for n in one.remembers]
            click.echo("\nremembers:")
            table(["table", "what", "because"], rows, "nothing: every record says enough")
            click.echo(f"cost: {one.cost}\n")

    show(fmt, found, text)
    return Exit.OK
