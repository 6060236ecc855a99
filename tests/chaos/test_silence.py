"""Connections that carry nothing any more and are not closed: the machine at the other end, or the network, went away
without a word. Both sides find out by themselves; `silence` has begun it."""

from stand.traffic import answers
from stand.waiting import eventually

MANAGER_FINDS = 40  # seconds: pings every 30, an answer within 10
ENVOY_FINDS = 45    # the same, and Envoy spreads its pings by 15 %
SLACK = 10          # for a machine that is busy


def test_both_sides_find_a_silent_connection_in_time(silence):
    """Of one proxy the whole link holds everything, of the other just the connection that there was."""
    held, forgotten, world = silence.held, silence.forgotten, silence.world
    eventually(lambda: held.is_found and forgotten.is_found, "both sides of both found it", 70)
    for each in (held, forgotten):
        assert each.manager_found < MANAGER_FINDS + SLACK and each.envoy_found < ENVOY_FINDS + SLACK, each
    eventually(forgotten.is_level, "a new connection works")
    api = silence.manager.api
    api.service("late", world.demo["shop"])
    api.mapping("late", world.http)
    assert answers(world.http, "late", "shop", address=forgotten.address)
    assert not answers(world.http, "late", "shop", address=held.address), "nothing reaches it yet"
    held.link.restore()
    eventually(lambda: held.is_level() and answers(world.http, "late", "shop", address=held.address), "it has everything")
    silence.traffic.more()
    assert silence.traffic.failures == []
