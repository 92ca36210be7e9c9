"""Properties, unit types and units; what claims them night by night; which unit a stay gets."""
