"""Bookings: their life cycle, their rooms, their history."""
