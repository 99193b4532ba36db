"""The worked example: a retail monolith, a delivery service, and the story that `figbridge demo` tells."""
