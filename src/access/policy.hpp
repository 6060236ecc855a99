// Who may do what: the caller of a request, what an endpoint needs, and the one rule of visibility.
// Used by api/ for every endpoint; the golden access matrix of the tests prints what follows from
// it.
#pragma once

#include "model/cluster.hpp"
#include "model/user.hpp"

#include <memory>
#include <string>

namespace mp {

enum class Needs { Nothing, User, Admin, ClusterKey };

// Who asks. Nobody: no user and no cluster.
struct Caller {
  std::shared_ptr<const User> user;  // a session's
  std::string session_id;
  std::shared_ptr<const Cluster> cluster;  // a cluster key's
  std::string address;

  bool is_admin() const { return user && user->is_admin; }
  // "user:1", "cluster:1": what idempotency keys and rate limits belong to.
  std::string key() const;
  // For the change log.
  std::string name() const;
};

// Admins see all; users the objects of their clusters; a cluster's key its own.
bool may_see(const Caller& caller, std::int64_t cluster_id);

// Throws Authentication when nobody asks who could ever be let in.
void authenticate(Needs needs, const Caller& caller);
// Throws Permission when the caller, who is known, may not.
void permit(Needs needs, const Caller& caller);

}  // namespace mp
