"""Which unit of its type each stay gets; the rules are on the page ``docs/algorithms/assignment.md``."""
