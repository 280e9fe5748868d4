"""Values as files write them: times, currencies and rows."""
