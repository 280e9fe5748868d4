"""Alembic's entry: runs the migrations over the connection it is given."""

from alembic import context

from core.metadata import metadata


def include_object(
    item: object, name: str | None, kind: str, reflected: bool, compare_to: object
) -> bool:
    """Leave out what models do not describe: partitions and the queue's own tables."""
    del item, compare_to
    is_made_elsewhere = (name or "").startswith(
        ("huey_", "snapshot_p", "snapshot_rank_p", "raw_item_p")
    )
    return not (kind == "table" and reflected and is_made_elsewhere)


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_object=include_object,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
