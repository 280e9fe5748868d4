"""Parts of the Alert rules screen: the list, the editor, the trial on past data."""
