"""What the product is compared with: each file stands alone and imports nothing of the project."""
