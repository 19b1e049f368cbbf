"""The only room with the Kubernetes client: its configuration, authentication and transport, and raw JSON out of it."""
