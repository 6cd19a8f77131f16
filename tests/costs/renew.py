"""Write the current costs of requests to the baseline file: `python -m tests.costs.renew`."""

from tests.costs.costs import BASELINE_FILE, measure_costs, write_baseline

if __name__ == "__main__":
    write_baseline(measure_costs())
    print(BASELINE_FILE.read_text("utf-8"), end="")
