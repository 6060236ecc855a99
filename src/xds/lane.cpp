#include "xds/lane.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t parts_at_once = 16;

ResourcePtr find(const SnapshotPtr& snapshot, Type type, std::string_view name) {
  return snapshot ? find_resource(snapshot->of(type), name) : nullptr;
}

const std::string& name_of(const Sent& sent) { return sent.resource->name; }

SharedList<Sent>::iterator find_sent(const Flight& flight, std::string_view name) {
  return std::ranges::find(flight.sent, name, name_of);
}

void set_before(Flight& flight, SharedList<Sent>::iterator place, const ResourcePtr& before) {
  const auto at = static_cast<std::size_t>(place - flight.sent.begin());
  flight.sent.edit()[at].before = before;
}

bool same(const ResourcePtr& left, const ResourcePtr& right) {
  if (left == right) return true;
  return left && right && left->version == right->version;
}

}  // namespace

SubscriptionChange Lane::subscribe(const Request& request, Flavour flavour) {
  Subscription next = subscription_;
  SubscriptionChange change =
      flavour == Flavour::Delta ? next.apply_delta(request) : next.apply_full(request);
  if (change.wildcard_added && !change.first) before_wildcard();
  before_names(change.asked);
  subscription_ = std::move(next);
  std::erase_if(exceptions_, [&](const auto& each) { return !subscription_.contains(each.first); });
  std::erase_if(owed_, [&](const auto& name) { return !subscription_.contains(name); });
  return change;
}

// Until now only what was named is held: the base must not count for the rest.
void Lane::before_wildcard() {
  if (!base_) return;
  for (const auto& resource : base_->of(type_)) {
    if (subscription_.contains(resource->name)) {
      exceptions_.try_emplace(resource->name, Exception{.held = resource, .leaving = std::nullopt});
    }
  }
  base_ = nullptr;
}

// Nor for what is named only now.
void Lane::before_names(const std::vector<std::string_view>& names) {
  if (!base_) return;
  for (const std::string_view name : names) {
    if (!subscription_.contains(name)) set_held(name, nullptr);
  }
}

void Lane::know(const KnownVersions& versions) {
  for (const KnownVersion known : versions) {
    if (!subscription_.contains(known.name)) continue;
    auto resource = std::make_shared<Resource>();
    resource->name = known.name;
    resource->version = known.version;
    exceptions_[known.name] = {.held = std::move(resource), .leaving = std::nullopt};
  }
}

void Lane::hold_all(const SnapshotPtr& snapshot) {
  base_ = snapshot;
  exceptions_.clear();
  owed_.clear();
}

Delivery Lane::advance(const SnapshotPtr& target, Differences& differences,
                       Quarantine& quarantine) {
  const auto waiting = std::exchange(exceptions_, {});
  const auto owed = std::exchange(owed_, {});
  const auto from = std::exchange(base_, target);
  if (waiting.empty() && owed.empty() && quarantine.empty()) {
    if (const auto bundle = shared_bundle(from, target, differences))
      return {.sends = bundle->sends, .absent = {}, .bundle = bundle};
  }
  Plan result;
  const auto apart = [&](const std::string& name) {
    return waiting.contains(name) || owed.contains(name) || !subscription_.contains(name);
  };
  if (from != target) {
    const auto step = differences.between(from, target);
    for (const auto& change : step->difference[static_cast<std::size_t>(type_)]) {
      if (apart(change.name())) continue;
      plan(result, change.name(), {.held = change.before, .leaving = std::nullopt}, change.after,
           quarantine);
    }
    quarantine.keep_only(type_, [&](std::string_view name) {
      return subscription_.contains(name) && find(target, type_, name) != nullptr;
    });
  }
  for (const auto& [name, exception] : waiting) {
    if (!owed.contains(name)) plan(result, name, exception, find(target, type_, name), quarantine);
  }
  for (const auto& name : owed) {
    const auto exception = waiting.find(name);
    const auto present =
        exception != waiting.end() ? exception->second.held : find(from, type_, name);
    plan_owed(result, name, present, find(target, type_, name), quarantine);
  }
  std::ranges::sort(result.sends, {}, name_of);
  return result.finished();
}

Delivery Lane::Plan::finished() { return {.sends = std::move(sends), .absent = std::move(absent)}; }

// That is known without a look at each name: by the sum over all.
bool Lane::asks_for_all(const Snapshot& target) const {
  if (subscription_.wildcard()) return true;
  const auto& names = subscription_.names();
  return !names.empty() && names.sum() == target.censuses[static_cast<std::size_t>(type_)].names;
}

// What many others lack, too; null when it is not all that this one lacks, or is more.
std::shared_ptr<const Bundle> Lane::shared_bundle(const SnapshotPtr& from,
                                                  const SnapshotPtr& target,
                                                  Differences& differences) const {
  if (!from) {
    if (!asks_for_all(*target)) return nullptr;
    const auto whole = differences.whole(target, type_);
    return {whole, &whole->bundle};
  }
  if (from == target) return nullptr;
  const auto step = differences.between(from, target);
  const auto& bundle = step->bundles[static_cast<std::size_t>(type_)];
  const auto asked = [&](const Sent& sent) { return subscription_.contains(sent.resource->name); };
  if (!bundle || !std::ranges::all_of(bundle->sends, asked)) return nullptr;
  return {step, &*bundle};
}

void Lane::plan(Plan& plan, const std::string& name, Exception present, const ResourcePtr& want,
                Quarantine& quarantine) {
  if (!want) {
    if (!present.held && !present.leaving) return;
    if (!present.leaving) present.leaving = base_->revision;
    exceptions_[name] = std::move(present);
  } else if (same(present.held, want)) {
    // What was refused and counts as held is on its way once more; else it is the last good form.
    if (!quarantine.holds(type_, *want)) quarantine.forget(type_, name);
  } else if (quarantine.blocks(type_, *want)) {
    exceptions_[name] = {.held = present.held, .leaving = std::nullopt};
  } else {
    quarantine.trying(type_, *want);
    plan.sends.push_back({.resource = want, .before = present.held});
  }
}

// A name that is asked for is answered, whatever the client is believed to hold: it may have lost
// it.
void Lane::plan_owed(Plan& plan, const std::string& name, const ResourcePtr& present,
                     const ResourcePtr& want, Quarantine& quarantine) {
  if (!want) {
    plan.absent.push_back(name);
    set_held(name, nullptr);
  } else if (!quarantine.blocks(type_, *want)) {
    quarantine.trying(type_, *want);
    plan.sends.push_back({.resource = want, .before = present});
    set_held(name, want);
  } else {
    if (present && !present->body.empty() && !same(present, want))
      plan.sends.push_back({.resource = present, .before = present});
    set_held(name, present);
  }
}

Delivery Lane::answer(const Snapshot& target, Quarantine& quarantine) {
  Plan result;
  for (const auto& name : std::exchange(owed_, {})) {
    plan_owed(result, name, held(name), find_resource(target.of(type_), name), quarantine);
  }
  return result.finished();
}

Delivery Lane::next_part(const Snapshot& target, Flavour flavour, Quarantine& quarantine) {
  Plan result;
  const auto names = std::move(parts_.front());
  parts_.erase(parts_.begin());
  for (const auto& name : names) {
    const auto want = find_resource(target.of(type_), name);
    const auto present = held(name);
    if (!subscription_.contains(name)) continue;
    if (!want && !present && flavour == Flavour::Delta) {
      // Gone since; but a part of a response that was refused may be in use.
      exceptions_[name] = {.held = nullptr, .leaving = target.revision};
    }
    if (!want || same(present, want) || quarantine.blocks(type_, *want)) continue;
    quarantine.trying(type_, *want);
    result.sends.push_back({.resource = want, .before = present});
    set_held(name, want);
  }
  return result.finished();
}

std::vector<std::string> Lane::take_removals(std::int64_t revision, const Snapshot& target) {
  std::vector<std::string> names;
  std::erase_if(exceptions_, [&](const auto& each) {
    if (!each.second.leaving || *each.second.leaving > revision) return false;
    if (find(base_, type_, each.first) || find_resource(target.of(type_), each.first)) return false;
    names.push_back(each.first);
    return true;
  });
  return names;
}

void Lane::took_off(Flight flight) {
  last_nonce_ = flight.nonce;
  flight.adds = std::ranges::any_of(flight.sent, [](const Sent& sent) { return !sent.before; });
  flight.alone = flights_.empty();
  flights_.push_back(std::move(flight));
}

void Lane::told(std::string nonce) { last_nonce_ = std::move(nonce); }

std::vector<Flight> Lane::land(std::string_view nonce) {
  const auto found = std::ranges::find(flights_, nonce, &Flight::nonce);
  if (found == flights_.end()) return {};
  const auto end = found + 1;
  std::vector<Flight> landed{std::make_move_iterator(flights_.begin()),
                             std::make_move_iterator(end)};
  flights_.erase(flights_.begin(), end);
  return landed;
}

void Lane::refused(const Sent& sent) {
  const auto& name = sent.resource->name;
  const auto before = same(sent.before, sent.resource) ? nullptr : sent.before;
  bool repeated = true;
  for (auto& flight : flights_) {
    const auto later = find_sent(flight, name);
    if (later != flight.sent.end()) {
      // This one replaced or repeated it already, and its answer decides what is held. What was
      // sent after that came after this one.
      if (same(later->before, sent.resource)) set_before(flight, later, before);
      return;
    }
    repeated =
        repeated && flight.repeats && std::ranges::find(flight.leaves, name) == flight.leaves.end();
    if (repeated) flight.repeated.push_back(sent.resource);
  }
  if (!subscription_.contains(name) || !same(held(name), sent.resource)) return;
  const auto exception = exceptions_.find(name);
  if (exception != exceptions_.end() && exception->second.leaving && before) {
    exception->second.held = before;
  } else {
    set_held(name, before);
  }
}

void Lane::took_again(const ResourcePtr& resource, const Snapshot& target) {
  for (auto& flight : flights_) {
    const auto later = find_sent(flight, resource->name);
    if (later != flight.sent.end()) {
      set_before(flight, later, resource);
      return;
    }
    if (std::ranges::find(flight.repeated, resource) == flight.repeated.end()) return;  // left out
  }
  if (!subscription_.contains(resource->name)) return;
  if (find_resource(target.of(type_), resource->name))
    set_held(resource->name, resource);
  else
    exceptions_[resource->name] = {.held = resource, .leaving = target.revision};
}

void Lane::isolate(const std::vector<Sent>& sent, std::int64_t after) {
  parts_after_ = parts_.empty() ? after : std::min(parts_after_, after);
  const std::size_t count = std::min(parts_at_once, sent.size());
  std::vector<std::vector<std::string>> parts(count);
  for (std::size_t n = 0; n < sent.size(); ++n) {
    refused(sent[n]);
    parts[n * count / sent.size()].push_back(sent[n].resource->name);
  }
  parts_.insert(parts_.end(), parts.begin(), parts.end());
}

bool Lane::keeps_last_good(const Quarantine& quarantine) const {
  if (quarantine.empty()) return false;
  const auto in_use = [](const auto& each) { return each.second.held && !each.second.leaving; };
  if (std::ranges::any_of(exceptions_, in_use)) return true;
  return std::ranges::any_of(flights_, [&](const Flight& flight) {
    return std::ranges::any_of(flight.sent, [&](const Sent& sent) {
      return sent.before && quarantine.contains(type_, sent.resource->name);
    });
  });
}

std::optional<std::int64_t> Lane::leaving_since() const {
  std::optional<std::int64_t> first;
  for (const auto& [name, exception] : exceptions_) {
    if (exception.leaving && (!first || *exception.leaving < *first)) first = exception.leaving;
  }
  return first;
}

std::int64_t Lane::complete() const {
  if (!requested()) return no_revision;
  std::int64_t revision = base_ ? base_->revision : 0;
  for (const auto& flight : flights_) revision = std::min(revision, flight.after);
  if (!parts_.empty()) revision = std::min(revision, parts_after_);
  if (!parts_.empty() || !owed_.empty())
    revision = std::min(revision, (base_ ? base_->revision : 0) - 1);
  return revision;
}

ResourcePtr Lane::held(std::string_view name) const {
  if (!subscription_.contains(name)) return nullptr;
  const auto exception = exceptions_.find(name);
  return exception != exceptions_.end() ? exception->second.held : find(base_, type_, name);
}

void Lane::set_held(std::string_view name, const ResourcePtr& held) {
  if (same(held, find(base_, type_, name))) {
    const auto exception = exceptions_.find(name);
    if (exception != exceptions_.end()) exceptions_.erase(exception);
  } else {
    exceptions_[std::string(name)] = {.held = held, .leaving = std::nullopt};
  }
}

Resources Lane::all_held() const {
  Resources all;
  if (base_) {
    for (const auto& resource : base_->of(type_)) {
      if (!exceptions_.empty() && exceptions_.contains(resource->name)) continue;
      if (subscription_.contains(resource->name)) all.push_back(resource);
    }
  }
  for (const auto& [name, exception] : exceptions_) {
    if (exception.held) all.push_back(exception.held);
  }
  std::ranges::sort(all, {},
                    [](const ResourcePtr& each) -> const std::string& { return each->name; });
  return all;
}

}  // namespace mp::xds
