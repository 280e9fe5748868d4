"""What `make run` starts and keeps running: processes, their guard, first accounts."""
