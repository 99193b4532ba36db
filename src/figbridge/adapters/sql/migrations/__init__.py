"""Alembic migrations of the authority store, packaged and run by `migrate`."""
