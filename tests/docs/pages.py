"""Read the pages of the repository: tables, links, commands in code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A code block: its language and text."""

    language: str
    text: str


def pages() -> list[Path]:
    """Return every page of the repository."""
    parts = ((p, p.relative_to(ROOT).parts) for p in sorted(ROOT.rglob("*.md")))
    return [p for p, names in parts if "fixtures" not in names and not any(n.startswith(".") for n in names)]


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """Return the code blocks of a page, without their indentation."""
    found = []
    for indent, language, body in _FENCE.findall(text):
        found.append(Block(language, "".join(line.removeprefix(indent) + "\n" for line in body.splitlines())))
    return found


def links(text: str) -> list[str]:
    """Return where the links of a page lead, without those in code blocks."""
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made for the web."""
    heads = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", head) for head in heads)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in plain}


def rows(text: str, section: str = "") -> list[list[str]]:
    """Return the rows of the tables of a page, or of one of its sections, without heads, cell by cell."""
    if section:
        head = re.search(rf"^(#+) +{re.escape(section)}$", text, re.MULTILINE)
        assert head, f"there is no section {section}"
        level = len(head[1])
        end = re.search(rf"^#{{1,{level}}} ", text[head.end() :], re.MULTILINE)
        text = text[head.end() : head.end() + end.start() if end else len(text)]
    found: list[list[str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        heads = number + 1 < len(lines) and re.fullmatch(r"\|[-| ]+\|", lines[number + 1])
        if line.startswith("|") and not heads and not re.fullmatch(r"\|[-| ]+\|", line):
            found.append([re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in line.strip("|").split("|")])
    return found


def first_cells(text: str, section: str = "") -> list[str]:
    """Return the first cell of each row."""
    return [row[0] for row in rows(text, section)]


def commands(text: str) -> Iterator[str]:
    """Yield the lines of code blocks that call figbridge."""
    for block in blocks(text):
        for line in block.text.splitlines():
            if line.startswith("figbridge ") and not line.startswith("figbridge.yaml"):
                yield line.split(" #")[0].strip()
