"""One file per revision, named v<number>_<what>; never changed once released."""
