#include "xds/subscription.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

void check_names(const std::vector<std::string>& names, std::size_t present) {
  if (names.size() + present > max_names) throw Error{Code::Validation, "too many resource names"};
  for (const auto& name : names) {
    if (name.size() > max_name_length) throw Error{Code::Validation, "resource name too long"};
  }
}

}  // namespace

bool NameSet::contains(std::string_view name) const {
  return std::ranges::binary_search(hashes_, name_hash(name));
}

void NameSet::insert(const std::vector<std::string>& names) {
  const auto middle = static_cast<std::ptrdiff_t>(hashes_.size());
  for (const auto& name : names) hashes_.push_back(name_hash(name));
  std::sort(hashes_.begin() + middle, hashes_.end());
  std::inplace_merge(hashes_.begin(), hashes_.begin() + middle, hashes_.end());
  const auto repeated = std::ranges::unique(hashes_);
  hashes_.erase(repeated.begin(), repeated.end());
}

bool NameSet::erase(std::string_view name) {
  const auto found = std::ranges::equal_range(hashes_, name_hash(name));
  if (found.empty()) return false;
  hashes_.erase(found.begin(), found.end());
  return true;
}

// xDS protocol, "How the client specifies what resources to return": a request without names is a
// wildcard when no name was ever subscribed to for that type on that stream (the legacy form); "*"
// is the explicit one. In delta a later name is added to the wildcard, it does not replace it.
SubscriptionChange Subscription::apply_delta(const Request& request) {
  check_names(request.subscribe, names_.size());
  SubscriptionChange change{.asked = {}, .dropped = {}, .first = !requested_};
  const bool had_wildcard = wildcard_;
  requested_ = true;
  for (const auto& name : request.unsubscribe) {
    if (name == "*")
      wildcard_ = false;
    else if (names_.erase(name))
      change.dropped.push_back(name);
  }
  for (const auto& name : request.subscribe) {
    if (name == "*")
      wildcard_ = true;
    else
      change.asked.push_back(name);
  }
  for (const auto& name : change.asked) change.asked_names.add(name);
  if (change.first && request.subscribe.empty()) wildcard_ = true;
  change.wildcard_added = wildcard_ && !had_wildcard;
  names_.insert(change.asked);
  return change;
}

// Here every request lists all that is wanted. Without names it is the legacy wildcard only as long
// as none was ever named; after that it means: nothing any more.
SubscriptionChange Subscription::apply_full(const Request& request) {
  check_names(request.subscribe, 0);
  SubscriptionChange change{.asked = {}, .dropped = {}, .first = !requested_};
  const bool had_wildcard = wildcard_;
  requested_ = true;
  named_before_ = named_before_ || !request.subscribe.empty();
  wildcard_ =
      !named_before_ || std::ranges::find(request.subscribe, "*") != request.subscribe.end();
  NameSet wanted;
  wanted.insert(request.subscribe);
  for (const auto& name : request.subscribe) {
    if (name != "*" && !names_.contains(name)) change.asked.push_back(name);
  }
  names_ = std::move(wanted);
  change.wildcard_added = wildcard_ && !had_wildcard;
  return change;
}

}  // namespace mp::xds
