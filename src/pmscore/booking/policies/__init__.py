"""Pure decisions of booking: what may be done, and what comes of it."""
