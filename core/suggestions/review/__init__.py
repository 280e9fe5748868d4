"""Review by a manager: the queue, one suggestion, approve and decline."""
