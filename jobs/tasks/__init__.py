"""The tasks of the worker: when things happen. No rules of their own."""
