"""A source's database, read from beside its connector: rows as Debezium would write them. Nothing is changed in it."""
