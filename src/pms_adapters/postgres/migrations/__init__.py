"""The migrations: one file a step under ``versions``, in the words of ``schema``, found and read by ``history``.

Each file stands for itself: it never imports ``tables``, so that a step made today does the same in ten years.
``pms_adapters.postgres.migrate`` runs them; ``docs/howto/migrate.md`` tells how one is added.
"""
