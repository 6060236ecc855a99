// Checks a snapshot before it is published: what Envoy would refuse a whole response for, or would
// accept and then not serve. Remembers what it found out about resources, so that the next snapshot
// costs what differs. Used by hub and tests. Not thread-safe: one owner each.
#pragma once

#include "xds/snapshot.hpp"

#include <array>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mp::xds {

// What one resource says about itself and about others.
struct ResourceFacts {
  std::vector<std::string> breaches;  // of the rules of its own message
  std::vector<std::pair<Type, std::string>> needs;
  std::string scope_key;  // of a scope: no two have the same
};

class Consistency {
 public:
  // One sentence a breach; empty when the snapshot is sound. Reveals no content of resources.
  std::vector<std::string> check(const Snapshot& snapshot);

 private:
  struct Known {
    ResourcePtr resource;
    ResourceFacts facts;
  };
  void take(Type type, const ResourcePtr& resource);
  void leave(Type type, const ResourcePtr& resource);
  void review(Type type, const std::string& name);
  void compare(Type type, const Catalogue& next);

  std::array<std::unordered_map<std::string, Known>, type_count> known_;
  std::array<Catalogue, type_count> last_;
  std::array<std::unordered_map<std::string, int>, type_count>
      needed_;                                       // by name: how many resources need it
  std::unordered_map<std::string, int> scope_keys_;  // how many scopes have it
  std::set<std::string> breaches_;
};

}  // namespace mp::xds
