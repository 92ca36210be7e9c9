"""The values of stay rules: a rule, the question it answers, the book of all rules of a property."""
