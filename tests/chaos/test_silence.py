"""Connections that carry nothing any more and are not closed: the machine at the other end, or the network, went away
without a word. Both sides find out by themselves; `silence` has begun it."""

from stand.traffic import answers
from stand.waiting import eventually

MANAGER_FINDS = 40  # seconds: pings every 30, an answer within 10
ENVOY_FINDS = 45    # the same, and Envoy spreads its pings by 15 %
BACK = 40           # Envoy tries again within 10, each time for some seconds
SLACK = 10          # for a machine that is busy


def test_both_sides_find_a_silent_connection_in_time(silence):
    """Of one proxy the whole link holds everything, of another just the connection that there was, and the third one's
    cable is pulled."""
    held, forgotten, apart, world = silence.held, silence.forgotten, silence.apart, silence.world
    eventually(lambda: all(each.is_found for each in silence.all), "both sides of all found it", 70)
    for each in silence.all:
        assert each.manager_found < MANAGER_FINDS + SLACK and each.envoy_found < ENVOY_FINDS + SLACK, each
    eventually(forgotten.is_level, "a new connection works")
    api = silence.manager.api
    api.service("late", world.demo["shop"])
    api.mapping("late", world.http)
    assert answers(world.http, "late", "shop", address=forgotten.address)
    for each in (held, apart):
        assert not answers(world.http, "late", "shop", address=each.address), "nothing reaches it yet"
        each.way.restore()
        eventually(lambda each=each: each.is_level() and answers(world.http, "late", "shop", address=each.address),
                   f"{each.name} has everything", BACK)
    silence.traffic.more()
    assert silence.traffic.failures == []
