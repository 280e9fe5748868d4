"""The blocks of the Suggestions and Suggestion screens."""
