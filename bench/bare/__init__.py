"""The bare loops: the same HTTP calls as the connector's, and nothing else.

No store, no retry, no check, no pace: what is lost is lost.
"""
