"""Holes: rows that were lost on their way into the log. List suspects, ask the database, settle them."""
