"""Modelled functions in clouds of their own: what a seed decides, and what it doesn't."""

from minilambda import Cloud, FunctionModel
from minilambda.distributions import lognormal

from .conftest import Lab


def deploy(lab, model, places):
    name = lab.deploy("def handler(event, context): return 'code'", Timeout=900)
    lab.cloud.model(name, model)
    lab.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=places)
    return name


def test_what_is_told_and_what_is_only_counted_are_the_same_story():
    """The fast way and the whole way: one seed, and instants that leave nothing to chance."""
    def story(every):
        with Cloud(durations="modelled", sandbox="inline", seed=7) as cloud:
            lab = Lab(cloud)
            name = deploy(lab, FunctionModel(duration=0.35, init=0.2), 3)
            tally = cloud.simulate(name, instants=[n * 0.1 for n in range(100)], every=every)
            return (tally.requests, tally.served, tally.cold, tally.throttled, tally.statuses,
                    round(tally.duration_ms, 3), tally.billed_ms, round(tally.cost, 12),
                    round(cloud.seconds, 6), len(lab.environments(name)))

    whole, fast, some = story(1), story(0), story(10)
    assert whole == fast == some
    assert whole[3] and whole[2] == 3


def test_the_same_seed_gives_the_same_requests():
    def run(seed):
        with Cloud(durations="modelled", sandbox="inline", seed=seed) as cloud:
            name = deploy(Lab(cloud), FunctionModel(duration=lognormal(0.2, 1.5), errors=0.1), 3)
            tally = cloud.simulate(name, rate=10, requests=2000, every=7)
            return repr(tally), tally.duration_ms, [
                (event.at, event.kind, dict(event.data)) for event in cloud.trace]

    assert run(1) == run(1) != run(2)
