"""Use cases. Each returns a value; none prints, none knows an adapter."""
