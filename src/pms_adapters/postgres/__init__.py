"""pmscore on PostgreSQL: schema, transactions, repositories, the check of every invariant."""
