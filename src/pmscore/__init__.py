"""A property-management core: dates, availability, prices and bookings as pure functions and values.

Import from the contexts (``pmscore.booking``, ``pmscore.inventory`` …); this package only holds the version.
"""

from __future__ import annotations

__version__ = "0.1.0"
