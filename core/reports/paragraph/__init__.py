"""A paragraph about a report by the model, shown only if each number in it is of the report."""
