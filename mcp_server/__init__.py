"""The MCP server for agents: the same operations, queries and labels as the pages.

    protocol/   callers, access log and rate limit, declarations of tools, resources, prompts
    results/    types of arguments and parts of results
    tools/      one module per subject; a tool is one query or operation
    resources/  one module per subject
    prompts     instructions for recurring work
    server      the server; http serves it

No SQL and no business rules.
"""
