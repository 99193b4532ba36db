"""Side-by-side measurements: ratios within one run, and CPU per row. Nothing here is asserted by a test."""
