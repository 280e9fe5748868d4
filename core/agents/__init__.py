"""What programs do here: how often they may call, what they called, what they wrote once."""
