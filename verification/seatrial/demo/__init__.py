"""The embedded target: a small but real chatbot platform in processes of its own, and the faults it can show.

Nothing outside this package asks the demo anything; suites see it through the environment file like any other target.
"""
