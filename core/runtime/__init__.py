"""What every process needs: its log, host names, slow clients, garbage collection."""
