"""Debezium inside this process, over a PostgreSQL that this process may start."""
