"""Review by managers: the queue, one suggestion, approve and decline."""
