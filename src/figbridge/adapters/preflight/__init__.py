"""Look at a source's database for doctor: questions as data, asked in a session that cannot write."""
