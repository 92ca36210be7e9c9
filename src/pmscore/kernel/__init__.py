"""The shared kernel: ids, money, errors, events and ports. No business rules."""
