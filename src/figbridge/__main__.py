"""Run `python -m figbridge` as the command `figbridge`."""

from figbridge.cli.main import main

main()
