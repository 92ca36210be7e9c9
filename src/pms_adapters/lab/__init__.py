"""What only tries the product: replay, races, chaos, demo seeding, measurements. Nothing here serves a guest."""
