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
    else if (names_.contains(name))
      change.dropped.push_back(name);
  }
  names_.erase(NameSet(change.dropped));
  for (const auto& name : request.subscribe) {
    if (name == "*")
      wildcard_ = true;
    else
      change.asked.push_back(name);
  }
  change.asked_names = NameSet(change.asked);
  if (change.first && request.subscribe.empty()) wildcard_ = true;
  change.wildcard_added = wildcard_ && !had_wildcard;
  names_.insert(change.asked_names);
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
  for (const auto& name : request.subscribe) {
    if (name != "*" && !names_.contains(name)) change.asked.push_back(name);
  }
  change.asked_names = NameSet(change.asked);
  names_ = NameSet({request.subscribe.begin(), request.subscribe.end()});
  change.wildcard_added = wildcard_ && !had_wildcard;
  return change;
}

}  // namespace mp::xds
