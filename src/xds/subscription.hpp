// Which resources of one type a client has asked for on one stream. Keeps 8 bytes a name (its
// hash), for there may be thousands of streams with thousands of names. Used by xds/lane; knows no
// snapshot.
#pragma once

#include "xds/census.hpp"
#include "xds/discovery.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

class NameSet {
 public:
  bool contains(std::string_view name) const;
  void insert(const std::vector<std::string>& names);
  bool erase(std::string_view name);
  std::size_t size() const { return hashes_.size(); }
  bool empty() const { return hashes_.empty(); }
  void clear() { hashes_.clear(); }

 private:
  std::vector<std::uint64_t> hashes_;  // sorted, none twice
};

// What one request changed.
struct SubscriptionChange {
  std::vector<std::string>
      asked;  // named now: each must be answered, even when it was named before
  NameSum asked_names;
  std::vector<std::string> dropped;  // delta only
  bool first = false;                // the first request for this type on the stream
  bool wildcard_added = false;
};

class Subscription {
 public:
  bool requested() const { return requested_; }
  bool wildcard() const { return wildcard_; }
  bool contains(std::string_view name) const { return wildcard_ || names_.contains(name); }
  bool names(std::string_view name) const { return names_.contains(name); }

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
