"""Pure rules of access: secrets, passwords, waiting after failures, who must stay an admin."""
