"""Restart a connector inside transactions whose rows share a position, and count what is lost, recovered, named."""
