"""A Kubernetes API on loopback: real requests, authorisation and watches over stored objects, without controllers."""
