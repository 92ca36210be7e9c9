"""How a message is written, signed, checked and tried again."""
