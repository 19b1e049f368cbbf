"""What tests are built with: a team's repository, a whole run with its decision."""
