"""Kill the whole bridge, again and again, and count what is lost or comes twice."""

import pytest

pytest.register_assert_rewrite("faults.verify")
