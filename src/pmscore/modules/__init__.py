"""What can be switched on: modules beside the core, and which agency has which of them."""
