"""The values of pricing: what a house charges, what is asked, and what is answered."""
