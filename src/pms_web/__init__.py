"""The bundled Flask host app and the ``pms`` command."""
