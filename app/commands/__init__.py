"""What pages write: the twin of `app.data`. Each command says what came of it."""
