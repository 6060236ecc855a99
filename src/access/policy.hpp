// Who may do what: the caller of a request, what an endpoint needs, and the one rule of visibility.
// Used by api/ for every endpoint; the golden access matrix of the tests prints what follows from
// it.
#pragma once

#include "model/api_key.hpp"
#include "model/cluster.hpp"
#include "model/user.hpp"

#include <memory>
#include <string>

namespace mp {

enum class Needs { Nothing, User, Admin, ClusterKey };
// How a user may come: what concerns his own credentials is for sessions alone.
enum class Through { Any, Session };

// What a request asks of its caller.
struct Demand {
  Needs needs = Needs::User;
  Through through = Through::Any;
  Permission permission = Permission::Write;  // of an API key, by the request's method
};

// Who asks. Nobody: no user and no cluster.
struct Caller {
  std::shared_ptr<const User> user;  // a session's, or the owner of an API key
  std::string session_id;            // empty with an API key
  std::shared_ptr<const ApiKey> api_key;
  std::shared_ptr<const Cluster> cluster;  // a cluster key's
  std::string address;

  // Whether an API key allows it; without one everything is allowed.
  bool has(Permission permission) const;
  // May do what is for admins alone.
  bool is_admin() const { return sees_all() && has(Permission::Admin); }
  // Sees the objects of every cluster: an API key sees what its owner does.
  bool sees_all() const { return user && user->is_admin; }
  // "user:1", "key:…", "cluster:1": what idempotency keys and rate limits belong to.
  std::string key() const;
  // For the change log.
  std::string name() const;
};

// Admins see all; users the objects of their clusters; a cluster's key its own.
bool may_see(const Caller& caller, std::int64_t cluster_id);

// Throws Authentication when nobody asks who could ever be let in.
void authenticate(Needs needs, const Caller& caller);
// Throws Permission when the caller, who is known, may not.
void permit(const Demand& demand, const Caller& caller);

}  // namespace mp
