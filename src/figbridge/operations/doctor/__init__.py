"""Examine a source before it is trusted: its database, its connector, its log, against the mappings.

The checks are data: each area's file holds its part of the catalogue, `catalogue.py` the whole, docs/doctor.md the
page.
"""
