"""A challenge counts when it is ours, young, for this form and region, rightly solved, and for the first time."""

import base64
import json
import threading

import altcha
import pytest

from terristory.captcha import challenge as challenges
from terristory.captcha.challenge import MOST_LEVEL, check_token_captcha, issue_challenge, spend, use_captcha_keys
from terristory.database import transaction
from tests.support.captcha import solved

SIGN, SOLUTION = b"s" * 32, b"k" * 32
OTHER_SIGN, OTHER_SOLUTION = b"S" * 32, b"K" * 32


@pytest.fixture(autouse=True)
def keys(request):
    if "app" in request.fixturenames:
        # The app sets the keys when it is built: what is put back at the end must be its own.
        request.getfixturevalue("app")
    before = list(challenges._keys)
    use_captcha_keys([SIGN], [SOLUTION])
    yield
    challenges._keys[:] = before


def issued(clock, **changes):
    given = {"form": "create_user", "region": "bretagne", "cost": 1, "life_seconds": 600, "now": clock.now()} | changes
    return issue_challenge(given.pop("form"), given.pop("region"), **given)


def check(token, clock, form="create_user", region="bretagne"):
    return check_token_captcha(token, form=form, region=region, now=clock.now())


def opened(token):
    return json.loads(base64.b64decode(token))


def closed(payload):
    return base64.b64encode(json.dumps(payload).encode()).decode()


def test_a_solved_challenge_is_accepted(clock):
    challenge = issued(clock)
    assert check(solved(challenge), clock).nonce == challenge["parameters"]["nonce"]


def test_it_lives_as_long_as_the_setting_says(clock):
    token = solved(issued(clock, life_seconds=600))
    clock.move(seconds=600)
    assert check(token, clock)
    clock.move(seconds=1)
    assert check(token, clock) is None


@pytest.mark.parametrize(("form", "region"), [("regenerate_password", "bretagne"), ("create_user", "normandie")])
def test_it_serves_only_the_form_and_region_it_was_issued_for(clock, form, region):
    assert check(solved(issued(clock)), clock, form=form, region=region) is None


def change_counter(payload):
    """The library ignores the counter when the key is signed: it must not make a new token out of an old one."""
    payload["solution"]["counter"] += 1000


def strip_expiry(payload):
    del payload["challenge"]["parameters"]["expiresAt"]


def postpone_expiry(payload):
    payload["challenge"]["parameters"]["expiresAt"] += 60


def forge_region(payload):
    payload["challenge"]["parameters"]["data"]["region"] = "normandie"


def drop_signature(payload):
    del payload["challenge"]["signature"]


def drop_key_signature(payload):
    del payload["challenge"]["parameters"]["keySignature"]


def guess_key(payload):
    payload["solution"]["derivedKey"] = "00" * 32


@pytest.mark.parametrize(
    "spoil", [strip_expiry, postpone_expiry, forge_region, drop_signature, drop_key_signature, guess_key]
)
def test_whatever_is_changed_in_it_makes_it_worthless(clock, spoil):
    payload = opened(solved(issued(clock)))
    spoil(payload)
    assert check(closed(payload), clock) is None


def test_a_challenge_without_expiry_is_refused_though_we_signed_it(clock):
    endless = altcha.create_challenge(
        challenges.ALGORITHM,
        1,
        counter=2,
        data={"form": "create_user", "region": "bretagne", "max": 3},
        hmac_secret=SIGN,
        hmac_key_secret=SOLUTION,
    )
    assert check(solved(endless.to_dict()), clock) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é",
        "\0",
        "a" * 100_000,
        "=" * 400,
        "e30=",
        closed([]),
        closed(None),
        closed({"challenge": [], "solution": []}),
        closed({"challenge": {"parameters": {}, "signature": 1}, "solution": {}}),
        closed({"challenge": {"parameters": None}, "solution": None}),
        base64.b64encode(b"[" * 2000).decode(),
        base64.b64encode(b'{"challenge": NaN}').decode(),
        base64.b64encode(b"1" * 3000).decode(),
    ],
    ids=lambda token: repr(token[:12]),
)
def test_garbage_is_no_token_and_no_error(clock, token):
    assert check(token, clock) is None


@pytest.mark.parametrize("spoiled", ["expiresAt", "data", "nonce", "keySignature", "algorithm", "cost"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 1e999, -1, 10**30])
def test_odd_values_in_its_parameters_are_no_error(clock, spoiled, value):
    payload = opened(solved(issued(clock)))
    payload["challenge"]["parameters"][spoiled] = value
    assert check(closed(payload), clock) is None


def test_the_previous_key_still_verifies_and_an_unknown_one_does_not(clock):
    token = solved(issued(clock))
    use_captcha_keys([OTHER_SIGN, SIGN], [OTHER_SOLUTION, SOLUTION])
    assert check(token, clock)
    use_captcha_keys([OTHER_SIGN], [OTHER_SOLUTION])
    assert check(token, clock) is None


@pytest.mark.parametrize(("sign", "solution"), [([], []), ([b""], [SOLUTION]), ([SIGN], [b""])])
def test_an_empty_key_stops_the_start(sign, solution):
    """Altcha would issue unsigned challenges without a word."""
    with pytest.raises(ValueError):
        use_captcha_keys(sign, solution)


def test_the_work_is_bounded_on_both_sides_and_its_bound_is_told(clock):
    for _ in range(20):
        challenge = issued(clock, cost=2)
        most = challenge["parameters"]["data"]["max"]
        assert 150 <= opened(solved(challenge))["solution"]["counter"] <= most == 450


def test_each_level_doubles_the_work_up_to_a_bound(clock):
    bounds = [issued(clock, cost=2, level=level)["parameters"]["data"]["max"] for level in (0, 1, MOST_LEVEL, 50)]
    assert bounds == [450, 900, 450 * 2**MOST_LEVEL, 450 * 2**MOST_LEVEL]


def test_it_is_spent_once_whatever_is_varied_in_its_payload(app, clock):
    token = solved(issued(clock))
    varied = opened(token)
    change_counter(varied)
    varied["solution"]["time"] = 1
    with transaction():
        assert spend(check(token, clock)) is True
    with transaction():
        assert spend(check(token, clock)) is False
        assert spend(check(closed(varied), clock)) is False


def spend_and_fail(one):
    with transaction():
        assert spend(one)
        raise RuntimeError


def test_what_it_protects_failing_leaves_it_unspent(app, clock):
    token = solved(issued(clock))
    with pytest.raises(RuntimeError):
        spend_and_fail(check(token, clock))
    with transaction():
        assert spend(check(token, clock)) is True


def test_of_sixteen_parallel_uses_one_wins(app, clock):
    one = check(solved(issued(clock)), clock)
    together = threading.Barrier(16)
    won = []

    def use():
        with app.app_context():
            together.wait()
            with transaction():
                won.append(spend(one))

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 15 + [True]
