"""The authority store over SQLAlchemy Core."""
