"""The embedded log and state: one SQLite file, one SQL transaction per commit."""
