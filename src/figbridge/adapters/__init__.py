"""The edge: each package joins one outside thing to a port. Only bootstrap imports them."""
