"""How tools, prompts and resources are declared, called and logged."""
