"""Values as files write them: times, currencies, the rows they make."""
