"""One page about trainings, tests and evaluations, which needs no network."""
