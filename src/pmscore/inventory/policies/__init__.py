"""Pure decisions of the inventory: what a change of claims means, and which unit a stay gets."""
