"""Making, changing, moving and ending bookings."""
