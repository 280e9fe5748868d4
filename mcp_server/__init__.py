"""The agents' door: an MCP server over the same verbs, queries and words as the pages.

    callers     who acts: the token of a request, or the one of the environment
    recording   around every call: pace, access log, what went wrong in words
    tooling     how a tool is declared, and what all tools share
    arguments   named types of arguments, with limits and examples
    answers     the parts that results are made of
    tools/      one module per subject; a tool is one query or verb
    server      puts it together; http serves it

No SQL, no rules, no formatting of its own.
"""
