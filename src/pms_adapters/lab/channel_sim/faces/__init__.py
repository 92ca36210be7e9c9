"""What each platform looks like from outside: its addresses, its messages, its limits, its refusals."""
