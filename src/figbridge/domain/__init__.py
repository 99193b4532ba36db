"""The words of figbridge as values: changes, claims, facts, events, authority, verdicts.

Only the standard library is imported here. Time, ids and randomness are arguments.
"""
