"""The command line: thin, over operations. Results go to stdout, everything else to stderr."""
