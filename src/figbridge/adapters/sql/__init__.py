"""The authority store over SQLAlchemy Core: SQLite when embedded, PostgreSQL in production, one code.

What differs between the two stands in dialect.py; the tables grow by Alembic migrations in migrations/.
"""
