#include "access/policy.hpp"

#include <algorithm>

namespace mp {
namespace {

Error unauthenticated(std::string_view scheme) {
  Error error(Code::Authentication, "");
  error.headers.emplace_back("WWW-Authenticate", std::string(scheme));
  return error;
}

Error lacks(Permission permission) {
  const auto name = names_of<Permission>[static_cast<std::size_t>(permission)];
  return Error(Code::Permission, "The API key lacks the permission " + std::string(name));
}

}  // namespace

bool Caller::has(Permission permission) const {
  return !api_key ||
         std::ranges::find(api_key->permissions, permission) != api_key->permissions.end();
}

std::string Caller::key() const {
  if (api_key) return "key:" + api_key->id;
  if (user) return "user:" + std::to_string(user->id);
  if (cluster) return "cluster:" + std::to_string(cluster->id);
  return "nobody";
}

std::string Caller::name() const {
  if (api_key) return user->username + " (API key " + api_key->id + ", " + api_key->name + ")";
  if (user) return user->username;
  if (cluster) return "cluster " + cluster->name;
  return "nobody";
}

bool may_see(const Caller& caller, std::int64_t cluster_id) {
  if (caller.sees_all()) return true;
  if (caller.user)
    return std::ranges::find(caller.user->clusters, cluster_id) != caller.user->clusters.end();
  return caller.cluster && caller.cluster->id == cluster_id;
}

void authenticate(Needs needs, const Caller& caller) {
  switch (needs) {
    case Needs::Nothing: return;
    case Needs::ClusterKey:
      if (!caller.cluster) throw unauthenticated("X-Cluster-API-Key realm=\"marchproxy\"");
      return;
    case Needs::Admin:
    case Needs::User:
      if (!caller.user) throw unauthenticated("Bearer realm=\"marchproxy\"");
  }
}

void permit(const Demand& demand, const Caller& caller) {
  if (caller.api_key && demand.through == Through::Session)
    throw Error(Code::Permission, "An API key may not do this; sign in");
  if (!caller.has(demand.permission)) throw lacks(demand.permission);
  if (demand.needs != Needs::Admin) return;
  if (caller.sees_all() && !caller.is_admin()) throw lacks(Permission::Admin);
  if (!caller.is_admin()) throw Error(Code::Permission, "");
}

}  // namespace mp
