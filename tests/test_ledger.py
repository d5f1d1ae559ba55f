"""The ledger of concurrency against the plainest account of its rules, whatever happens in which order.

The account below keeps lists, adds them up each time, and counts tokens in fractions.
"""

from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from minilambda import concurrency
from minilambda.concurrency import Concurrency, Lease
from minilambda.errors import LambdaError
from minilambda.limits import Limits
from minilambda.places import Places
from minilambda.rates import Rate

NAMES, VERSIONS = "fgh", ("$LATEST", "1")


def function(name="f", version="$LATEST", region="a"):
    return SimpleNamespace(account="1", region=region, name=name, version=version)


class Tokens:
    """A rate's rule, word by word: full at first, refilled all the time, never more than full."""

    def __init__(self, most, step, seconds):
        self.most, self.speed, self.left, self.at = most, Fraction(step, seconds), Fraction(most), 0

    def now(self, now):
        self.left = min(self.left + (now - self.at) * self.speed, Fraction(self.most))
        self.at = now
        return self.left

    def change(self, most, now):
        used = self.most - self.now(now)
        self.most, self.speed, self.left = most, Fraction(most), max(Fraction(0), most - used)


class Ledger(RuleBasedStateMachine):
    """Requests come and end, well or not; settings change; time passes."""

    @initialize(limit=st.integers(1, 9), least=st.integers(0, 3), each=st.sampled_from([1, 2, 10]),
                scaling=st.tuples(st.integers(1, 6), st.integers(1, 3), st.sampled_from([4, 8])),
                per_function=st.booleans())
    def start(self, limit, least, each, scaling, per_function):
        self.limit, self.least, self.each, self.per_function = limit, least, each, per_function
        self.scaling = scaling
        self.ledger = Concurrency(
            limit, least, requests_per_place=each, scaling=lambda region: Rate(*scaling),
            scaling_per_function=per_function)
        self.now = Fraction(0)
        self.held = []  # (lease, name, version, places or None)
        self.reserved, self.rates = {}, {}
        self.configs = {}  # name -> (Places, Tokens); all of them on version 1
        self.requests = Tokens(limit * each, limit * each, 1)
        self.growth = {name: Tokens(*scaling) for name in NAMES}
        if not per_function:
            self.growth = dict.fromkeys(NAMES, self.growth["f"])
        self.environments = {(name, version): 0 for name in NAMES for version in VERSIONS}

    def running(self, name=None, version=None, ahead=None):
        return sum((name is None or n == name) and (version is None or v == version)
                   and (ahead is None or (places is not None) == ahead)
                   for _, n, v, places in self.held)

    def provisioned(self, name):
        return self.configs[name][0].requested if name in self.configs else 0

    def claims(self, name):
        return self.reserved.get(name, self.provisioned(name))

    def beyond(self, name):
        return max(0, self.running(name, ahead=True) - self.provisioned(name))

    def free(self):
        return self.limit - sum(map(self.claims, NAMES))

    def expected(self, name, version):
        """A reason, or "provisioned", "warm" or "new"."""
        reserved = self.reserved.get(name)
        if self.requests.now(self.now) < 1:
            return concurrency.ACCOUNT_RATE
        if reserved == 0:
            return concurrency.FUNCTION_FULL
        if reserved is not None and self.rates[name].now(self.now) < 1:
            return concurrency.RESERVED_RATE
        if reserved is not None and self.running(name) >= reserved:
            return concurrency.FUNCTION_FULL
        if self.running() >= self.limit:
            return concurrency.ACCOUNT_FULL
        if version == "1" and name in self.configs:
            places, tokens = self.configs[name]
            mine = sum(p is places for *_, p in self.held)
            if mine < places.available and tokens.now(self.now) >= 1:
                return "provisioned"
        on_demand = self.running(name, ahead=False)
        if reserved is not None:
            if on_demand + self.beyond(name) >= reserved - self.provisioned(name):
                return concurrency.FUNCTION_FULL
        else:
            shared = sum(self.running(n, ahead=False) for n in NAMES if n not in self.reserved)
            if shared + self.beyond(name) >= self.free():
                return concurrency.ACCOUNT_FULL
        if self.running(name, version, ahead=False) < self.environments[name, version]:
            return "warm"
        return "new" if self.growth[name].now(self.now) >= 1 else concurrency.SCALING_RATE

    @rule(name=st.sampled_from(NAMES), version=st.sampled_from(VERSIONS))
    def request(self, name, version):
        expected = self.expected(name, version)
        lease = self.ledger.take(function(name, version), float(self.now))
        if expected not in ("provisioned", "warm", "new"):
            assert lease == expected
            return
        assert isinstance(lease, Lease), (lease, expected)
        places = self.configs[name][0] if expected == "provisioned" else None
        assert lease.places is places
        has = version == "1" and name in self.configs
        assert lease.spilled is (self.configs[name][0] if has and places is None else None)
        for tokens in (self.requests, self.rates.get(name), has and places and self.configs[name][1],
                       expected == "new" and self.growth[name]):
            if tokens:
                tokens.left -= 1
        if expected == "new":
            self.environments[name, version] += 1
        self.held.append((lease, name, version, places))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 99), crash=st.booleans())
    def end(self, which, crash):
        lease, name, version, places = self.held.pop(which % len(self.held))
        if crash and places is None:  # its environment first: so does placement
            self.environments[name, version] -= 1
            self.ledger.lost(function(name, version))
        elif crash:
            places.available = max(0, places.available - 1)
        self.ledger.give_back(lease)

    @rule(name=st.sampled_from(NAMES), version=st.sampled_from(VERSIONS))
    def an_idle_environment_ends(self, name, version):
        if self.running(name, version, ahead=False) < self.environments[name, version]:
            self.environments[name, version] -= 1
            self.ledger.lost(function(name, version))

    @rule(quarters=st.integers(1, 40))
    def time_passes(self, quarters):
        self.now += Fraction(quarters, 4)

    @rule(name=st.sampled_from(NAMES), places=st.integers(0, 8))
    def reserve(self, name, places):
        left = self.free() + self.claims(name) - places
        if places < self.provisioned(name) or left < self.least:
            with pytest.raises(LambdaError):
                self.ledger.reserve(function(name), places, float(self.now))
            return
        self.ledger.reserve(function(name), places, float(self.now))
        if name in self.reserved:
            self.rates[name].change(places * self.each, self.now)
        else:
            self.rates[name] = Tokens(places * self.each, places * self.each, 1)
            self.rates[name].at = self.now
        self.reserved[name] = places

    @rule(name=st.sampled_from(NAMES))
    def release(self, name):
        self.ledger.release(function(name))
        self.reserved.pop(name, None)
        self.rates.pop(name, None)

    @rule(name=st.sampled_from(NAMES), requested=st.integers(1, 6))
    def provision(self, name, requested):
        places, tokens = self.configs.get(name, (Places("live"), None))
        had = self.provisioned(name)
        if name in self.reserved:
            refused = requested > self.reserved[name]
        else:
            refused = self.free() + had - requested < self.least
        if refused:
            with pytest.raises(LambdaError):
                self.ledger.provision(function(name, "1"), places, requested, float(self.now))
            return
        self.ledger.provision(function(name, "1"), places, requested, float(self.now))
        if tokens is None:
            tokens = Tokens(requested * self.each, requested * self.each, 1)
            tokens.at = self.now
        else:
            tokens.change(requested * self.each, self.now)
        self.configs[name] = places, tokens

    @precondition(lambda self: self.configs)
    @rule(data=st.data())
    def an_allocation_goes_on(self, data):
        name = data.draw(st.sampled_from(sorted(self.configs)))
        places = self.configs[name][0]
        places.available = min(places.requested, places.available + data.draw(st.integers(1, 3)))

    @precondition(lambda self: self.configs)
    @rule(data=st.data())
    def unprovision(self, data):
        name = data.draw(st.sampled_from(sorted(self.configs)))
        places, _ = self.configs.pop(name)
        self.ledger.unprovision(function(name, "1"), places)

    @invariant()
    def no_more_than_there_are(self):
        if not hasattr(self, "ledger"):
            return
        assert self.ledger.running("1", "a") == len(self.held) <= self.limit
        assert self.ledger.unreserved("1", "a") == self.free() >= min(self.least, self.limit)
        for name in NAMES:
            assert self.ledger.reserved(function(name)) == self.reserved.get(name)
        for places, _ in self.configs.values():
            assert places.running == sum(p is places for *_, p in self.held)

    def teardown(self):
        """None is lost: when all have ended there is room for as many as there are places."""
        if not hasattr(self, "ledger"):
            return
        for lease, *_ in self.held:
            self.ledger.give_back(lease)
        assert self.ledger.running("1", "a") == 0
        for name in NAMES:
            self.ledger.release(function(name))
        for name, (places, _) in self.configs.items():
            self.ledger.unprovision(function(name, "1"), places)
        leases = []
        for second in range(1, 10 * self.limit):
            lease = self.ledger.take(function("g"), float(self.now) + 100.0 * second)
            if lease == concurrency.ACCOUNT_FULL:
                break
            assert isinstance(lease, Lease)
            leases.append(lease)
        assert len(leases) == self.limit


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


@given(st.integers(1, 20), st.integers(1, 10), st.integers(1, 60),
       st.lists(st.integers(0, 300), max_size=60))
def test_a_rate_is_kept_in_every_stretch_of_time(most, step, seconds, pauses):
    rate, now, taken = Rate(most, step, seconds), 0.0, []
    for pause in pauses:
        now += pause / 8
        if rate.left(now):
            rate.use()
            taken.append(now)
            assert rate.left(now) <= most
        else:
            wait = rate.wait(now)
            assert wait > 0 and rate.left(now + wait) == 1
            now += wait
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], 1):
            assert last <= most + (end - begin) * step / seconds + 1e-6


def grown(limits, region, seconds):
    """Environments that one function may start in each second, if as many as may be are asked for."""
    ledger = Concurrency.of(Limits.load(limits))
    f = function(region=region)
    return [sum(ledger.grow(f, 10_000, float(now))[0] for now in range(first, last))
            for first, last in seconds]


def test_the_course_s_scaling_rate_is_a_region_s():
    assert grown("course", "eu-west-2", [(0, 1), (1, 61), (61, 121)]) == [500, 500, 500]
    assert grown("course", "us-east-1", [(0, 1), (1, 61)]) == [3000, 500]
    assert grown("course", "eu-central-1", [(0, 1)]) == [1000]
    ledger = Concurrency.of(Limits.load("course"))
    assert ledger.grow(function("f", region="eu-west-2"), 400, 0.0) == (400, 0.0)
    assert ledger.grow(function("g", region="eu-west-2"), 400, 0.0)[0] == 100


def test_today_s_scaling_rate_is_a_function_s():
    assert grown("today", "eu-west-2", [(0, 1), (1, 11)]) == [1000, 1000]
    ledger = Concurrency.of(Limits.load("today"))
    assert ledger.grow(function("f"), 1000, 0.0) == (1000, pytest.approx(0.01))
    assert ledger.grow(function("g"), 1000, 0.0)[0] == 1000


def test_requests_a_second_are_ten_for_each_place():
    ledger, f = Concurrency.of(Limits.load("today")), function()
    taken = [ledger.take(f) for _ in range(1)]
    for _ in range(9_999):
        ledger.give_back(taken.pop())
        taken.append(ledger.take(f))
    ledger.give_back(taken.pop())
    assert ledger.take(f) == concurrency.ACCOUNT_RATE
    assert isinstance(ledger.take(f, 0.0001), Lease)
    assert ledger.take(f, 0.0001) == concurrency.ACCOUNT_RATE
