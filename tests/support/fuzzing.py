"""How long generated tests run: briefly by default, at length by `make fuzz`."""

import os

import hypothesis

# Quick functions afford ten times the examples that a request does.
bounded = hypothesis.settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "400")))
