"""PostgreSQL: sessions, reads and writes of many rows, migrations, the embedded server."""
