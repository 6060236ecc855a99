// Which resources of one type a client has asked for on one stream. Used by xds/lane; knows no
// snapshot.
#pragma once

#include "xds/discovery.hpp"
#include "xds/name_set.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// What one request changed. Names are those of the request.
struct SubscriptionChange {
  // Named now: each must be answered, even when it was named before.
  std::vector<std::string_view> asked;
  NameSet asked_names;
  std::vector<std::string_view> dropped;  // delta only
  bool first = false;                     // the first request for this type on the stream
  bool wildcard_added = false;
};

class Subscription {
 public:
  bool requested() const { return requested_; }
  bool wildcard() const { return wildcard_; }
  bool contains(std::string_view name) const { return wildcard_ || names_.contains(name); }
  // Those that were named, beside a wildcard or without one.
  const NameSet& names() const { return names_; }
  void share(NameSets& pool) { names_.share(pool); }

  // Both throw mp::Error (Validation) beyond the limits of discovery.hpp.
  SubscriptionChange apply_delta(const Request& request);
  SubscriptionChange apply_full(const Request& request);

 private:
  bool requested_ = false;
  bool wildcard_ = false;
  bool named_before_ = false;
  NameSet names_;
};

}  // namespace mp::xds
