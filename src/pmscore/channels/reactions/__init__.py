"""What channels do after something has happened, or because a lane is due."""
