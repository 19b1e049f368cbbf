"""An embedded Kubernetes API: objects in memory, spoken to over HTTPS by the official client and kubectl.

Faithful in what verification reads and does; it schedules nothing and runs no controllers. It knows nothing of the rest
of seatrial, so that it can be deleted the day a kept library does this.
"""
