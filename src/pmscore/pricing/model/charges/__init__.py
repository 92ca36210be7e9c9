"""What is charged beside the nights: who counts, fees, inclusions, taxes, and the lines they come to."""
