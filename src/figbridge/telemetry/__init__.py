"""Closed catalogues of log events; what is not in them cannot be said."""
