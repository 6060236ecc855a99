#include "tests/simulation/referee.hpp"

#include "xds/dialect.hpp"
#include "xds/quarantine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mp::xds {
namespace {

// A culprit nobody names is found by halves of sixteen; edits in between may bring it back.
constexpr int most_trials = 6;

Milliseconds pause_after(int times) {
  Milliseconds pause = first_retry;
  for (int n = 1; n < times && pause < longest_retry; ++n) pause *= 2;
  return std::min(pause, longest_retry);
}

// "Error adding/updating resource(s) a: no, b: no" names a and b.
std::set<std::string> named_in(const std::string& message) {
  std::set<std::string> names;
  if (!message.starts_with("Error adding/updating ")) return names;
  for (auto at = message.find("(s) ") + 4; at < message.size();) {
    const auto end = std::min(message.find(", ", at), message.size());
    names.insert(message.substr(at, message.find(": ", at) - at));
    at = end + 2;
  }
  return names;
}

}  // namespace

bool Referee::repeats_all(Type type) const {
  return flavour_ == Flavour::StateOfTheWorld &&
         (type == Type::Cluster || type == Type::Listener || type == Type::ScopedRoute);
}

bool Referee::subscribed(Type type, const std::string& name) const {
  return of(type).wildcard || of(type).names.contains(name);
}

Resources Referee::wanted(Type type) const {
  Resources all;
  if (!target_ || !requested(type)) return all;
  for (const auto& each : target_->of(type)) {
    if (subscribed(type, each->name)) all.push_back(each);
  }
  return all;
}

std::vector<std::string> Referee::unanswered(Type type) const {
  std::vector<std::string> names;
  std::ranges::set_difference(of(type).asked, of(type).blamed, std::back_inserter(names));
  return names;
}

void Referee::on_request(const Request& request, Time now) {
  const auto found = find_type(request.type_url);
  if (!found) return;
  const Type type = *found;
  Kind& kind = of(type);
  const bool stale = !kind.last_nonce.empty() && request.nonce != kind.last_nonce;
  answered(type, request, now);
  if (flavour_ == Flavour::Delta)
    subscribe_delta(kind, request);
  else if (!stale)
    subscribe_full(kind, request), recall(type);
  std::erase_if(kind.refused, [&](const auto& each) { return !subscribed(type, each.first); });
  std::erase_if(kind.trials, [&](const auto& each) { return !subscribed(type, each.first); });
}

void Referee::subscribe_delta(Kind& kind, const Request& request) {
  std::set<std::string> dropped;
  for (const auto& name : request.unsubscribe) {
    if (name == "*")
      kind.wildcard = false;
    else if (kind.names.erase(name) > 0)
      dropped.insert(name);
  }
  for (const auto& name : request.subscribe) {
    if (name == "*")
      kind.wildcard = true;
    else
      kind.names.insert(name), kind.asked.insert(name);
  }
  if (!kind.requested) {  // what it says that it holds needs no answer
    for (const KnownVersion known : request.initial_versions) kind.asked.erase(known.name);
  }
  if (!kind.requested && request.subscribe.empty()) kind.wildcard = true;
  if (kind.wildcard) kind.asked.insert(dropped.begin(), dropped.end());
  std::erase_if(kind.asked,
                [&](const auto& name) { return !kind.wildcard && !kind.names.contains(name); });
  kind.requested = true;
}

void Referee::subscribe_full(Kind& kind, const Request& request) {
  const std::set<std::string> names{request.subscribe.begin(), request.subscribe.end()};
  if (!kind.requested) kind.claimed = request.version;
  for (const auto& name : names) {
    if (name == "*" || kind.names.contains(name)) continue;
    kind.asked.insert(name);
    kind.asked_later = kind.requested;
  }
  kind.named = kind.named || !names.empty();
  kind.wildcard = !kind.named || names.contains("*");
  kind.names = names;
  kind.requested = true;
}

// Who comes back with the version of all that he would be given now holds it.
void Referee::recall(Type type) {
  Kind& kind = of(type);
  if (kind.claimed.empty() || !kind.last_nonce.empty()) return;
  const Resources all = wanted(type);
  if (version_of(all) != kind.claimed) return;
  for (const auto& each : all) kind.last[each->name] = each->version;
}

void Referee::answered(Type type, const Request& request, Time now) {
  Kind& kind = of(type);
  const auto found = std::ranges::find(kind.flights, request.nonce, &Flight::nonce);
  if (request.nonce.empty() || found == kind.flights.end()) return;
  while (kind.flights.front().nonce != request.nonce) {
    accepted(type, kind.flights.front());
    kind.flights.pop_front();
  }
  if (request.error)
    refuse(type, kind.flights.front(), *request.error, now);
  else
    accepted(type, kind.flights.front());
  kind.flights.pop_front();
}

void Referee::accepted(Type type, const Flight& flight) {
  Kind& kind = of(type);
  std::erase_if(kind.refused, [&](const auto& each) {
    const auto found = flight.versions.find(each.first);
    return found != flight.versions.end() && found->second == each.second.version;
  });
  for (const auto& name : flight.fresh) kind.trials.erase(name);
  for (const auto& [name, version] : flight.versions) {
    kind.doubtful.erase(name);
    if (kind.last.contains(name)) kind.taken[name] = version;  // it was not left out since
  }
}

// Names mean that the others of the response are active: Envoy says so of clusters and listeners.
void Referee::refuse(Type type, const Flight& flight, const std::string& message, Time now) {
  const auto named = named_in(message);
  Flight taken = flight;
  std::erase_if(taken.versions, [&](const auto& each) { return named.contains(each.first); });
  std::erase_if(taken.fresh, [&](const auto& name) { return named.contains(name); });
  const bool names_some = taken.versions.size() < flight.versions.size();
  for (const auto& name : flight.fresh) {
    const std::string& version = flight.versions.at(name);
    of(type).blamed.insert(name);
    if (!names_some || named.contains(name)) of(type).doubtful.insert(name);
    const bool alone = !names_some && !repeats_all(type) && flight.versions.size() == 1;
    if (alone || named.contains(name))
      certain(type, name, version, now);
    else if (++of(type).trials[name] > most_trials && !names_some)
      throw Complaint(show(type, name) + " was refused too often with nobody to blame");
  }
  if (names_some) accepted(type, taken);
}

void Referee::certain(Type type, const std::string& name, const std::string& version, Time now) {
  const auto want = target_ ? find_resource(target_->of(type), name) : nullptr;
  if (!want || want->version != version || !subscribed(type, name)) return;
  Refused& entry = of(type).refused[name];
  if (entry.version != version) entry = {.version = version};
  entry.at = now;
  if (entry.times == 0 || entry.under_way || entry.released) ++entry.times;
  entry.released = entry.under_way = false;
  const auto holding = std::ranges::count_if(of(type).flights, [&](const Flight& flight) {
    const auto found = flight.versions.find(name);
    return found != flight.versions.end() && found->second == version;
  });
  entry.crossing = holding > 1;  // beside the one that is refused
}

void Referee::on_target(SnapshotPtr target) {
  target_ = std::move(target);
  for (std::size_t n = 0; n < type_count; ++n) {
    const auto changed = [&](const std::string& name, const std::string& version) {
      const auto want = find_resource(target_->types[n], name);
      return !want || want->version != version;
    };
    recall(static_cast<Type>(n));
    Kind& kind = kinds_[n];
    std::erase_if(kind.refused,
                  [&](const auto& each) { return changed(each.first, each.second.version); });
    std::erase_if(kind.trials, [&](const auto& each) {
      const auto sent = kind.last.find(each.first);
      return sent == kind.last.end() || changed(each.first, sent->second);
    });
  }
}

void Referee::on_retry() {
  for (Kind& kind : kinds_) {
    kind.trials.clear();
    for (auto& [name, entry] : kind.refused) entry.released = !entry.under_way;
  }
}

void Referee::on_responses(const std::vector<Response>& responses, Time now) {
  bool removing = false;
  Type last{};
  for (const auto& response : responses) {
    const bool counts = ordered(response);
    const bool takes_away = check(response, now);
    if (!counts) continue;
    const bool in_order = takes_away && !removing ? true
                          : takes_away            ? response.type <= last
                                                  : !removing && response.type >= last;
    if (!in_order) throw Complaint("out of order: " + show(response.type, "in one step"));
    removing = takes_away;
    last = response.type;
  }
}

// Who comes back is told everything, which may add and take away; a version alone does neither.
// That there is none of what was asked for is an answer.
bool Referee::ordered(const Response& response) const {
  const Kind& kind = of(response.type);
  if (flavour_ == Flavour::Delta)
    return std::ranges::none_of(response.removed,
                                [&](const auto& name) { return kind.asked.contains(name); });
  if (repeats_all(response.type)) return kind.claimed.empty() || !kind.last_nonce.empty();
  return !response.resources.empty();
}

// The version of a first request is believed of proxies, as long as their clusters stay as they
// are.
bool Referee::comes_with_all(Type type) const {
  const Kind& clusters = of(Type::Cluster);
  return !of(type).claimed.empty() && !of(type).asked_later && clusters.wildcard &&
         clusters.last_nonce.empty() && version_of(wanted(type)) == of(type).claimed;
}

bool Referee::check(const Response& response, Time now) {
  Kind& kind = of(response.type);
  if (!kind.requested) throw Complaint(show(response.type, "nobody asked for"));
  if (response.nonce.empty() || !nonces_.insert(response.nonce).second)
    throw Complaint("a nonce came twice: " + response.nonce);
  Flight flight{.nonce = response.nonce};
  const bool greeting = kind.last_nonce.empty();
  if (greeting && !response.resources.empty() && comes_with_all(response.type))
    throw Complaint(show(response.type, "") + "was sent to who came back with all of it");
  kind.last_nonce = response.nonce;
  bool takes_away = !response.removed.empty();
  bool brings = false;
  for (const auto& each : response.resources) {
    const bool fresh = !repeats_all(response.type) || kind.last[each->name] != each->version;
    check_resource(response.type, *each, now);
    flight.versions[each->name] = each->version;
    if (fresh) flight.fresh.insert(each->name);
    kind.asked.erase(each->name);
    // The last good form, again in the place of one that was refused, is nothing new.
    const bool retried = kind.doubtful.erase(each->name) > 0;
    const auto taken = kind.taken.find(each->name);
    const bool is_taken = taken != kind.taken.end() && taken->second == each->version;
    brings = brings || ((fresh || retried) && !is_taken);
  }
  for (const auto& name : response.removed) {
    if (!subscribed(response.type, name))
      throw Complaint(show(response.type, name) + " was removed, nobody asked for it");
    kind.asked.erase(name);
  }
  if (repeats_all(response.type)) {
    const bool answers = !std::exchange(kind.asked, {}).empty();
    const bool lacks = std::ranges::any_of(kind.last, [&](const auto& each) {
      return !flight.versions.contains(each.first) && subscribed(response.type, each.first) &&
             (!kind.doubtful.contains(each.first) || kind.taken.contains(each.first)) &&
             !find_resource(target_->of(response.type), each.first);
    });
    takes_away = !greeting && !answers && !brings && lacks;
    kind.last = flight.versions;
    std::erase_if(kind.taken,
                  [&](const auto& each) { return !flight.versions.contains(each.first); });
  } else {
    for (const auto& [name, version] : flight.versions) kind.last[name] = version;
    for (const auto& name : response.removed) kind.last.erase(name);
  }
  kind.flights.push_back(std::move(flight));
  return takes_away;
}

void Referee::check_resource(Type type, const Resource& resource, Time now) {
  Kind& kind = of(type);
  if (!subscribed(type, resource.name))
    throw Complaint(show(type, resource.name) + " was sent, nobody asked for it");
  const auto want = find_resource(target_->of(type), resource.name);
  const auto sent = kind.last.find(resource.name);
  const bool known = sent != kind.last.end() && !sent->second.empty();
  if ((!want || want->version != resource.version) && !known)
    throw Complaint(show(type, resource.name) + " was sent in a form of no use any more");
  const auto entry = kind.refused.find(resource.name);
  if (entry == kind.refused.end() || entry->second.version != resource.version) return;
  Refused& refused = entry->second;
  if (refused.under_way || refused.crossing)
    return;  // not answered yet, and a name that is asked for is answered
  const bool in_time = now >= refused.at + pause_after(refused.times);
  if (!refused.released && !in_time)
    throw Complaint(show(type, resource.name) + " was refused and sent again unchanged");
  refused.released = false;
  refused.under_way = true;
}

}  // namespace mp::xds
