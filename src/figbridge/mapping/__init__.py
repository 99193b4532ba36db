"""The anti-corruption layer: documents, their loader, grammar, readers, lint, and the compiler to Python functions.

Nothing here reads a log or writes one; nothing a user writes is ever evaluated as Python.
"""
