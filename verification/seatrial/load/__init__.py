"""Load of our own: a schedule fixed beforehand, sent open-loop by Locust in a process of its own, and judged.

Only `dispatcher` and `worker` import Locust and gevent, and only in that process.
"""
