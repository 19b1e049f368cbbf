"""Answers progressive delivery from recorded decisions: Flagger's gates, and the web metric of Argo Rollouts."""
