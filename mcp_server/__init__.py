"""The MCP server for agents: the same operations, queries and words as the pages.

    protocol/   who calls, pace and access log, how tools, resources and prompts are declared
    results/    named types of arguments, and the parts that results are made of
    tools/      one module per subject; a tool is one query or operation
    resources/  one module per subject
    server      puts it together; http serves it

No SQL, no rules, no formatting of its own.
"""
