"""Requests to the two platforms, against servers that mean no good, over real sockets."""
