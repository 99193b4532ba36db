"""Who carries out which decision, besides those on parked keys."""

from __future__ import annotations

from figbridge.pipeline import control_holes, control_letters
from figbridge.pipeline.bench import Bench
from figbridge.pipeline.control import Carrier


def carriers(bench: Bench) -> dict[str, Carrier]:
    """Return action → who carries it out."""
    letters = control_letters.LetterCarrier(bench)
    holes = control_holes.HoleCarrier(bench)
    return {**dict.fromkeys(control_letters.ACTIONS, letters), **dict.fromkeys(control_holes.ACTIONS, holes)}
