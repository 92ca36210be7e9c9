"""Values of booking: the booking with its rooms, its life cycle, its events."""
