"""The kinds of price rules, one file a subject; a new kind is one file here."""
