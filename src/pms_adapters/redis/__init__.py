"""What we ask of Redis: for now only whether it is there. Streams and queues join here."""
