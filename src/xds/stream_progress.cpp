// How far a stream is: the part of xds/stream that sends nothing.
#include "xds/stream.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

constexpr std::array named_types{Type::Endpoint, Type::Secret, Type::Route};

std::size_t index(Type type) { return static_cast<std::size_t>(type); }

bool consumer(Type type) { return type >= Type::Listener; }

// Names that came with these changes and were not asked for; those that went leave `expected`.
NameSet added(const Lane& lane, const std::vector<Change>& changes, NameSet& expected) {
  std::vector<std::string_view> names;
  for (const Change& change : changes) {
    if (!change.after)
      expected.erase(change.name());
    else if (!change.before && !lane.subscription().contains(change.name()))
      names.push_back(change.name());
  }
  return NameSet(names);
}

}  // namespace

// What came new with a cluster or listener is live only when the proxy has asked for it and got it.
void Stream::expect(const SnapshotPtr& from, Time now) {
  const auto step = differences_->between(from, target_);
  for (const Type type : named_types) {
    auto& expected = expected_[index(type)];
    NameSet names;
    if (!from && lane(type).subscription().names().empty()) {
      if (!lane(type).subscription().wildcard()) names = differences_->whole(target_, type)->names;
    } else {
      names = added(lane(type), step->difference[index(type)], expected.names);
    }
    if (names.empty()) continue;
    if (expected.names.empty()) expected.revision = target_->revision;
    expected.names.insert(names);
    expected_until_ = now + longest_expectation;
  }
}

// Up to here the lane has nothing on its way; less when a snapshot changed without its revision.
std::int64_t Stream::complete(const Lane& lane) const {
  const auto revision = lane.complete();
  if (!lane.requested() || lane.base() == target_ || !lane.base()) return revision;
  return std::min(revision, target_->revision - 1);
}

// Several snapshots may have one revision: who is not level may not know all that left in his own.
std::int64_t Stream::done_with_removals(const Lane& lane) const {
  const auto revision = complete(lane);
  return revision < target_->revision ? revision - 1 : revision;
}

void Stream::measure(Time now) {
  if (expected_until_ && now >= *expected_until_) {
    expected_ = {};
    expected_until_ = std::nullopt;
  }
  std::int64_t revision = target_->revision;
  bool settled = false;
  const auto lower = [&](std::int64_t to) {
    revision = std::min(revision, to);
    settled = false;
  };
  settled = std::ranges::any_of(lanes_, &Lane::requested);
  if (!settled) lower(0);
  for (const auto& each : lanes_) {
    if (!each.requested()) continue;
    if (wants_advance(each) || !each.idle()) lower(complete(each));
    const auto leaving = each.leaving_since();
    if (leaving && !keeps(each.type())) lower(*leaving - 1);
  }
  for (const auto& expected : expected_) {
    if (!expected.names.empty()) lower(expected.revision - 1);
  }
  // A proxy asks for its listeners only when its clusters are warm; until then it serves nothing.
  if (lane(Type::Cluster).subscription().wildcard() && !lane(Type::Listener).requested()) lower(0);
  progress_.revision = std::max(progress_.revision, revision);
  progress_.settled = settled;
}

std::optional<Time> Stream::next_wake(Time now) const {
  std::optional<Time> next = quarantine_.next_release();
  const auto earlier = [&](Time time) {
    if (!next || time < *next) next = time;
  };
  if (expected_until_) earlier(*expected_until_);
  if (returning_until_ && now < *returning_until_) earlier(*returning_until_);
  if (!target_) return next;
  for (const auto& each : lanes_) {
    if (!each.requested() || !wants_advance(each)) continue;
    if (each.busy(now)) earlier(each.flights().back().at + patience);
    if (!consumer(each.type())) continue;
    const Time last = asked_[index(each.type())] + longest_hold;
    if (!each.base() && now < last) earlier(last);
    for (const auto& flight : lane(Type::Cluster).flights()) {
      if (flight.adds && now < flight.at + longest_hold) earlier(flight.at + longest_hold);
    }
  }
  return next;
}

}  // namespace mp::xds
