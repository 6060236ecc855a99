#include "xds/stream.hpp"

#include "base/error.hpp"
#include "xds/retell.hpp"

#include <algorithm>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::array wire_order{Type::Cluster,  Type::Endpoint, Type::Secret,
                                Type::Listener, Type::Route,    Type::ScopedRoute};

// A client that leaves so many responses of a type unanswered gets no more of it.
constexpr std::size_t most_flights = 64;
constexpr std::size_t parts_in_flight = 16;

std::size_t index(Type type) { return static_cast<std::size_t>(type); }

bool consumer(Type type) { return type >= Type::Listener; }

std::array<Lane, type_count> make_lanes() {
  return {Lane{Type::Cluster},  Lane{Type::Endpoint}, Lane{Type::Secret},
          Lane{Type::Listener}, Lane{Type::Route},    Lane{Type::ScopedRoute}};
}

}  // namespace

Stream::Stream(Flavour flavour, std::shared_ptr<Differences> differences)
    : flavour_(flavour),
      dialect_(flavour == Flavour::Delta ? delta() : state_of_the_world()),
      differences_(std::move(differences)),
      lanes_(make_lanes()) {}

Stream::Responses Stream::on_request(const Request& request, Time now) {
  const auto type = find_type(request.type_url);
  if (!type) return {};
  Lane& each = lane(*type);
  if (!each.requested()) asked_[index(*type)] = now;
  answered(each, request, now);
  if (dialect_.counts(each, request)) subscribe(each, request, now);
  return step(now);
}

Stream::Responses Stream::on_snapshot(SnapshotPtr snapshot, Time now) {
  if (!target_) progress_.changed = snapshot->revision;
  target_ = std::move(snapshot);
  for (auto& each : lanes_) {
    if (each.is_level(*target_)) each.follow(target_);
  }
  return step(now);
}

Stream::Responses Stream::on_time(Time now) {
  for (const Type type : quarantine_.release(now)) retry_[index(type)] = true;
  return step(now);
}

Stream::Responses Stream::on_retry(Time now) {
  for (const Type type : quarantine_.release_all()) retry_[index(type)] = true;
  return step(now);
}

// A request acknowledges by its nonce, whatever else it says, and refuses by error_detail alone; it
// is not answered unless it changes a subscription (xDS protocol, "ACK and NACK semantics").
void Stream::answered(Lane& lane, const Request& request, Time now) {
  if (request.nonce.empty()) return;
  const auto flights = lane.land(request.nonce);
  if (flights.empty()) return;
  if (request.error) {
    ++exchanges_.refusals;
    refuse(lane, flights, *request.error, now);
  } else {
    exchanges_.acknowledgements += flights.size();
    answered_[index(lane.type())] = now;
    accept(lane, flights);
  }
}

void Stream::accept(Lane& lane, const std::vector<Flight>& flights) {
  for (const auto& flight : flights) {
    for (const auto& resource : flight.repeated) take_again(lane, resource);
    if (quarantine_.empty()) continue;
    for (const auto& sent : flight.sent) accept(lane.type(), *sent.resource);
  }
}

// Refused before, and taken with a response that repeated it: a port may have become free.
void Stream::take_again(Lane& lane, const ResourcePtr& resource) {
  lane.took_again(resource, *target_);
  accept(lane.type(), *resource);
}

// The last good form, sent once more, says nothing about the form that was refused.
void Stream::accept(Type type, const Resource& resource) {
  const auto want = find_resource(target_->of(type), resource.name);
  const bool wanted = !want || want->version == resource.version;
  if (!wanted && !quarantine_.holds(type, resource)) return;
  // A later response may have left it out, or a later snapshot asked for it again, meanwhile.
  if (quarantine_.forget(type, resource.name)) retry_[index(type)] = true;
}

void Stream::refuse(Lane& lane, const std::vector<Flight>& flights, const std::string& message,
                    Time now) {
  expected_ = {};
  const Flight& last = flights.back();
  const bool all = dialect_.repeats_all(lane.type());
  std::vector<Sent> suspects;
  for (const auto& flight : flights) {
    if (all || &flight == &last) {
      suspects.insert(suspects.end(), flight.sent.begin(), flight.sent.end());
    }
  }
  if (!all) accept(lane, {flights.begin(), flights.end() - 1});
  Resources present = last.repeated;
  for (const auto& sent : suspects) present.push_back(sent.resource);
  const auto named = blamed(message, present);
  // A response that repeats all may repeat what the answer to an earlier one has just put away.
  if (named.empty() && !(all && quarantine_.is_blamed(lane.type(), message))) {
    // Nothing of the response was applied, or nobody knows what: with several, find the culprit by
    // trying.
    const bool certain = suspects.size() == 1 && (last.alone || !all);
    if (certain) {
      blame(lane, suspects.front(), message, last.revision, now);
      // Nor what a first response does not hold any more, and the client has from another stream.
      if (all && !answered_[index(lane.type())]) lane.repeat();
      return;
    }
    for (const auto& sent : suspects) quarantine_.suspect(lane.type(), *sent.resource);
    lane.isolate(suspects, std::ranges::min(flights, {}, &Flight::after).after);
    // What the response repeated from one that had not been answered was not applied either.
    if (all && !last.alone) lane.repeat();
    return;
  }
  for (const auto& resource : last.repeated) {
    if (std::ranges::find(named, resource, &Blame::resource) == named.end())
      take_again(lane, resource);
  }
  for (const auto& sent : suspects) {
    const auto found = std::ranges::find(named, sent.resource, &Blame::resource);
    if (found != named.end())
      blame(lane, sent, found->message, last.revision, now);
    else
      accept(lane.type(), *sent.resource);
  }
}

void Stream::blame(Lane& lane, const Sent& sent, const std::string& message, std::int64_t revision,
                   Time now) {
  lane.refused(sent);
  const auto& name = sent.resource->name;
  const auto want = find_resource(target_->of(lane.type()), name);
  if (!lane.subscription().contains(name) || !want) return;
  // What is said of an older form does not hide that the newest is refused.
  if (want->version == sent.resource->version || !quarantine_.holds(lane.type(), *want))
    quarantine_.refuse(lane.type(), *sent.resource, message, revision, now);
  // Envoy keeps a secret that it cannot use, for the next listener that is made with it.
  if (lane.type() == Type::Secret && want->version == sent.resource->version) lane.owe(name);
  // The version of a later response counts what is refused here: the next one does not.
  if (flavour_ == Flavour::StateOfTheWorld && !dialect_.repeats_all(lane.type())) lane.repeat();
}

void Stream::take_names(Lane& lane, const SubscriptionChange& change) {
  expected_[index(lane.type())].names.erase(change.asked_names);
  if (change.first && target_ && asks_for_all(lane, change)) return;
  for (const std::string_view name : change.asked) {
    // In the first request a name comes with the version that is held already. Later it is a
    // question that must be answered, even when the answer is believed to be known.
    if (!change.first || !lane.held(name)) lane.owe(name);
  }
}

// Who asks for everything lacks nothing when he holds everything, and is given everything in this
// very step when he holds nothing.
bool Stream::asks_for_all(const Lane& lane, const SubscriptionChange& change) const {
  const bool at_once = lane.holds_nothing() && !consumer(lane.type()) && quarantine_.empty();
  return (lane.base() == target_ || at_once) &&
         change.asked_names.sum() == target_->censuses[index(lane.type())].names;
}

// Who comes back with everything is level without a look at each name; but not before it said so
// of its clusters. A secret that it holds it may have refused (retells), which is remembered by
// name.
bool Stream::holds_all(const Lane& each, const KnownVersions& versions) const {
  if (!target_ || versions.empty() || each.type() == Type::Secret) return false;
  if (consumer(each.type()) && !lane(Type::Cluster).requested()) return false;
  return versions.census() == target_->censuses[index(each.type())];
}

void Stream::subscribe(Lane& lane, const Request& request, Time now) {
  const auto change = lane.subscribe(request, flavour_);
  lane.share_names(differences_->names());
  if (change.first) {
    if (request.initial_versions.size() > max_names) {
      throw Error{Code::Validation, "too many initial resource versions"};
    }
    if (holds_all(lane, request.initial_versions))
      lane.hold_all(target_);
    else
      lane.know(request.initial_versions);
    if (!request.initial_versions.empty() && !returning_until_)
      returning_until_ = now + longest_return;
    lane.claim(request.version);
  }
  take_names(lane, change);
  // Still covered by the wildcard: "the server must tell its state", for the client has dropped it.
  for (const auto& name : change.dropped) {
    if (lane.subscription().contains(name)) lane.owe(name);
  }
  if (lane.type() == Type::Endpoint && change.first) {
    for (const auto& name : std::exchange(renewals_, {})) {
      if (lane.subscription().contains(name)) lane.owe(name);
    }
  }
  if (!quarantine_.empty()) {
    quarantine_.keep_only(
        lane.type(), [&](std::string_view name) { return lane.subscription().contains(name); });
  }
}

Stream::Responses Stream::step(Time now) {
  if (!target_) return {};
  Responses responses;
  for (const Type type : wire_order) step_lane(lane(type), now, responses);
  remove(now, responses);
  measure(now);
  return responses;
}

void Stream::step_lane(Lane& lane, Time now, Responses& responses) {
  if (!lane.requested()) return;
  send_parts(lane, now, responses);
  const bool ready = wants_advance(lane) && !lane.busy(now) && !lane.has_parts() &&
                     lane.flights().size() < most_flights && !held_back(lane, now);
  if (ready) {
    advance(lane, now, responses);
  } else if (lane.owes() && lane.base() && !lacks_clusters(lane)) {
    // Somebody waits for these names: they do not wait for the answers that pushes wait for.
    const Delivery delivery = lane.answer(*target_, quarantine_);
    send(lane, dialect_.drafts(lane, delivery), target_->revision - 1, now, responses);
  }
}

void Stream::send_parts(Lane& lane, Time now, Responses& responses) {
  const std::size_t limit = dialect_.repeats_all(lane.type()) ? 1 : parts_in_flight;
  while (lane.has_parts() && lane.flights().size() < limit) {
    const Delivery delivery = lane.next_part(*target_, flavour_, quarantine_);
    auto drafts = dialect_.drafts(lane, delivery);
    if (drafts.empty() && flavour_ == Flavour::StateOfTheWorld)
      drafts.push_back(dialect_.nothing(lane));
    send(lane, std::move(drafts), lane.parts_after(), now, responses);
  }
}

void Stream::advance(Lane& lane, Time now, Responses& responses) {
  const auto from = lane.base();
  const bool greeting = lane.subscription().wildcard() && lane.holds_nothing();
  retry_[index(lane.type())] = false;
  if (!from && recalls(lane)) return lane.hold_all(target_);
  const Delivery delivery = lane.advance(target_, *differences_, quarantine_);
  if (!delivery.sends.empty()) progress_.changed = target_->revision;
  auto drafts = dialect_.drafts(lane, delivery);
  // Envoy does not finish its start before the first answer to a wildcard, be it empty.
  if (drafts.empty() && greeting) drafts.push_back(dialect_.nothing(lane));
  const auto after = std::min(from ? from->revision : 0, target_->revision - 1);
  send(lane, std::move(drafts), after, now, responses);
  if (lane.type() == Type::Cluster) renew_endpoints(delivery.sends);
  const bool refers = lane.type() == Type::Cluster || lane.type() == Type::Listener;
  if (refers && lane.subscription().wildcard() && from != target_) expect(from, now);
}

// The version of a first request is believed of proxies alone, which ask for all clusters and find
// all other names in what they hold. A gRPC client keeps the version of names that it has dropped
// meanwhile, and lacks these when it asks for them again.
bool Stream::recalls(const Lane& each) const {
  const Lane& clusters = lane(Type::Cluster);
  if (!each.last_nonce().empty() || !clusters.subscription().wildcard()) return false;
  // Clusters that were sent again warm until their endpoints come again.
  if (each.type() == Type::Endpoint && !clusters.last_nonce().empty()) return false;
  return dialect_.recalls(each, *target_);
}

bool Stream::wants_advance(const Lane& lane) const {
  return lane.base() != target_ || retry_[index(lane.type())];
}

// Clusters that this type may use were not sent yet.
bool Stream::lacks_clusters(const Lane& each) const {
  const Lane& clusters = lane(Type::Cluster);
  if (!consumer(each.type()) || !clusters.requested()) return false;
  return clusters.base() != target_ || clusters.has_parts();
}

// Make before break: new listeners and routes wait for the clusters they may use. An Envoy that
// comes back while a cluster warms asks for its clusters last, and refuses routes to that one.
bool Stream::held_back(const Lane& each, Time now) const {
  if (lacks_clusters(each)) return true;
  const Lane& clusters = lane(Type::Cluster);
  if (!consumer(each.type())) return false;
  if (!each.base() && now >= asked_[index(each.type())] + longest_hold) return false;
  if (!clusters.requested()) return !each.base() && !each.holds_nothing();
  return std::ranges::any_of(clusters.flights(), [&](const Flight& flight) {
    return flight.adds && now < flight.at + longest_hold;
  });
}

// A cluster that is sent again warms until its endpoints come, and in delta Envoy does not ask for
// them again ("Cluster warming ends only with a new ClusterLoadAssignment").
void Stream::renew_endpoints(const SharedList<Sent>& clusters) {
  Lane& endpoints = lane(Type::Endpoint);
  for (const auto& sent : clusters) {
    const auto& name = sent.resource->name;
    const bool asked = endpoints.requested() && endpoints.subscription().contains(name);
    const bool renewed = !endpoints.requested() && sent.before;
    if (!(asked || renewed) || !find_resource(target_->of(Type::Endpoint), name)) continue;
    if (renewed) renewals_.insert(name);
    if (asked) endpoints.owe(name);
  }
}

// As long as an older form of a listener or route is in use, what it refers to stays.
bool Stream::keeps(Type type) const {
  const auto in_use = [&](Type user) { return lane(user).keeps_last_good(quarantine_); };
  if (type == Type::Listener) return false;
  if (in_use(Type::Listener)) return true;
  if (!consumer(type) && (in_use(Type::Route) || in_use(Type::ScopedRoute))) return true;
  return (type == Type::Secret || type == Type::Endpoint) && in_use(Type::Cluster);
}

// Who comes back says type by type what it holds, and may yet name listeners that use what is gone.
bool Stream::may_be_used(Type type, Time now) const {
  const bool refers = type == Type::Listener || type == Type::ScopedRoute;
  return !refers && returning_until_ && now < *returning_until_;
}

// One that is gone, and may have used whatever went before it, was not taken away yet.
bool Stream::consumer_leaves() const {
  return std::ranges::any_of(
      lanes_, [](const Lane& each) { return consumer(each.type()) && each.leaving_since(); });
}

void Stream::remove(Time now, Responses& responses) {
  if (std::ranges::all_of(lanes_, &Lane::holds_base)) return;
  const auto done = [&](Type type) { return done_with_removals(lane(type)); };
  const auto consumers_complete = [&] {
    return std::min({done(Type::Listener), done(Type::Route), done(Type::ScopedRoute)});
  };
  std::int64_t limit = consumers_complete();
  for (std::size_t n = wire_order.size(); n-- > 0;) {
    const Type type = wire_order[n];
    // What listeners, routes and clusters referred to goes when these have changed or are gone.
    if (type == Type::Secret) limit = std::min(consumers_complete(), done(Type::Cluster));
    if (type == Type::Cluster) limit = consumers_complete();
    if (keeps(type) || may_be_used(type, now) || (!consumer(type) && consumer_leaves())) continue;
    const auto names = lane(type).take_removals(limit, *target_);
    if (names.empty()) continue;
    progress_.changed = target_->revision;
    send(lane(type), dialect_.farewells(lane(type), names), progress_.changed - 1, now, responses);
  }
}

// Whether the client may have refused it before, as is known or nobody can know.
bool Stream::retells(const Lane& lane, const Sent& sent) const {
  if (lane.type() != Type::Secret) return false;
  const bool claimed = sent.before ? sent.before->body.empty() : !lane.claimed().empty();
  return claimed || quarantine_.holds(lane.type(), *sent.resource);
}

void Stream::send(Lane& lane, std::vector<Draft> drafts, std::int64_t after, Time now,
                  Responses& responses) {
  for (auto& draft : drafts) {
    for (const auto& sent : draft.sent) {
      if (!retells(lane, sent)) continue;
      std::ranges::replace(draft.resources.edit(), sent.resource, retell(sent.resource, now));
    }
    std::string nonce = std::to_string(++last_nonce_);
    if (dialect_.waits_for_answer(lane.type(), draft)) {
      lane.took_off({.nonce = nonce,
                     .revision = target_->revision,
                     .after = after,
                     .at = now,
                     .sent = std::move(draft.sent),
                     .repeats = draft.repeats,
                     .leaves = std::move(draft.leaves)});
    } else {
      lane.told(nonce);
    }
    responses.push_back({.type = lane.type(),
                         .version = std::move(draft.version),
                         .nonce = std::move(nonce),
                         .resources = std::move(draft.resources),
                         .removed = std::move(draft.removed)});
    ++exchanges_.pushes;
  }
}

}  // namespace mp::xds
