"""What a running process answers over HTTP."""
