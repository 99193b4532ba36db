"""The life of one row change, from record to committed verdicts. Start at process.py."""
