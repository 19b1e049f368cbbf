"""Reports and a policy in, a decision out: promote, hold or rollback. Imports no pytest and touches no network."""
