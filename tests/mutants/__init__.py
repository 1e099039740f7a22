"""Guards of the runtime, each taken out once: the tests must notice every one of them."""
