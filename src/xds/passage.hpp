// The part of xds/reach that follows a caller through settled claims: which of them lead to a
// service, and what he must show there. Pure.
#pragma once

#include "xds/reach.hpp"

#include <span>

namespace mp::xds {

// Everybody's claims on the journey's port.
struct Claims {
  std::vector<const HttpClaim*> plain;
  std::vector<const HttpClaim*> within_tls;
  std::vector<const StreamClaim*> streams;
};
Claims claims_on(std::span<const PlanPtr> plans, int port);

// The same by what only one of can have: a domain, a server's name.
struct Passages {
  std::vector<Way> ways;
  std::vector<Finding> shadowed;                     // of mappings that lost to others
  std::vector<std::shared_ptr<const Mapping>> shut;  // lead there, and do not let him in
};
Passages passages(const Claims& claims, const Journey& journey, const Keyring& keyring,
                  const PartyPtr& caller);

}  // namespace mp::xds
