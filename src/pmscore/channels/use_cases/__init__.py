"""What is done to connections, and one run of a lane for each subject."""
