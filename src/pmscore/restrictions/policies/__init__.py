"""The kinds of stay rules, one file a subject, and their evaluation."""
