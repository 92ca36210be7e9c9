"""PostgreSQL 18 and Redis that come as wheels, driven by us through their binaries.

``postgres`` and ``redis`` hold the two servers, ``temporary`` servers that live as long as a test. Below them:
``home`` (where data lives), ``account`` (as whom servers run), ``binaries`` (where programs come from),
``lock`` (who owns a server), ``supervisor`` and its program ``watchdog`` (start, stop and end of life),
``processes`` (what the system says is running) and ``errors``.

Nothing here is imported by the adapters for PostgreSQL and Redis, which take a URL wherever it comes from.
"""
