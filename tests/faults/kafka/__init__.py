"""Kill a bridge of three processes and every server it lives on, and count what is lost or comes twice."""
