"""Rules of the domain's values: no I/O."""
