"""Keep what requests cost now, for the test that compares: `python -m tests.costs.renew`."""

from tests.costs.costs import KEPT, measure_costs, write_costs

if __name__ == "__main__":
    write_costs(measure_costs())
    print(KEPT.read_text("utf-8"), end="")
