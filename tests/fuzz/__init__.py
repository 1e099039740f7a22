"""Whatever bytes come from outside: nothing that reads them may raise, hang, or believe them.

``TARGETS`` is where a further one is added; each has a corpus in ``corpus/NAME.jsonl``.
"""
