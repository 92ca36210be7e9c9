"""What a stay costs and on which terms: plans, nights, discounts, fees, taxes, cancellation, deposits, quotes."""
