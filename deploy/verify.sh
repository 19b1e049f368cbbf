#!/bin/sh
# Verify an environment, then decide. What every pipeline and every pod here runs; `verify` in the image.
#
#   verify ENVIRONMENT [pytest option ...]
#
# Ends as the gate ends: 0 promote, 10 hold, 20 rollback; everything else is no decision, and means hold.
# RELEASE is the version asked about, REPORTS the folder that takes the evidence [reports], POLICY another policy than
# that of the environment, AUDIT the log of decisions.
set -u

environment="${1:-}"
if [ -z "$environment" ]; then
  echo "verify: expected the name of an environment: verify ENVIRONMENT [pytest option ...]" >&2
  exit 2
fi
shift
reports="${REPORTS:-reports}"

status=0
pytest -p no:cacheprovider -p no:locust --env="$environment" --seatrial-reports="$reports" \
  ${RELEASE:+"--release=$RELEASE"} "$@" || status=$?
# 0 and 1 are runs that ended. With any other code (wrong use, an interrupt, nothing collected) there may be no run, and
# `latest` may be an earlier one: deciding from that would be deciding about something else.
if [ "$status" -gt 1 ]; then
  echo "verify: pytest ended with $status, which is no run to decide from: treat as hold" >&2
  exit 3
fi
exec seatrial gate "$reports/latest" --env="$environment" \
  ${RELEASE:+"--release=$RELEASE"} ${POLICY:+"--policy=$POLICY"} ${AUDIT:+"--audit=$AUDIT"}
