"""Laws that every store must keep, as classes to subclass. Needs ``pip install "pmscore[testing]"``.

How to run them over an adapter: ``docs/howto/test-your-adapter.md``.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis
except ImportError as error:
    raise ImportError('pmscore.testing.laws needs Hypothesis: pip install "pmscore[testing]"') from error

del _hypothesis
