// Which plans depend on which services, collections, domains and authorities: what an edit of these
// concerns is looked up, not searched for. Used by build.cpp.
#pragma once

#include "xds/intent.hpp"

#include <map>
#include <set>
#include <string>

namespace mp::xds {

class Dependents {
 public:
  using Ids = std::set<std::int64_t>;  // of mappings

  void add(const Plan& plan);
  void remove(const Plan& plan);

  // Costs what depends on the changes; names of certificates that are proved otherwise, a walk over
  // all domains.
  Ids of(const Directory::Changes& services, const Keyring::Changes& keys) const;

 private:
  template <class Visit>
  void visit(const Plan& plan, Visit visit);

  std::map<std::int64_t, Ids> by_service_;
  std::map<std::string, Ids> by_collection_;
  std::map<std::string, Ids> by_domain_;  // that a certificate proves
  Ids by_issuers_;
};

}  // namespace mp::xds
