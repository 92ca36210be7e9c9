"""What puts pmscore on PostgreSQL, Redis and real channels."""
