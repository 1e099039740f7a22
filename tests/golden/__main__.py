"""``python -m tests.golden``: write anew what is expected of every input.

The inputs of posts are recorded by ``pytest -m interop tests/interop/test_golden.py``. Look at what
has changed before it is kept: what stands here is what agents see.
"""

from __future__ import annotations

from tests.golden.cases import list_cases, write

for case in list_cases():
    write(case.expected_file, case.translate())
