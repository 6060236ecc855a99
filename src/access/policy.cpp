#include "access/policy.hpp"

#include <algorithm>

namespace mp {
namespace {

Error unauthenticated(std::string_view scheme) {
  Error error(Code::Authentication, "");
  error.headers.emplace_back("WWW-Authenticate", std::string(scheme));
  return error;
}

}  // namespace

std::string Caller::key() const {
  if (user) return "user:" + std::to_string(user->id);
  if (cluster) return "cluster:" + std::to_string(cluster->id);
  return "nobody";
}

std::string Caller::name() const {
  if (user) return user->username;
  if (cluster) return "cluster " + cluster->name;
  return "nobody";
}

bool may_see(const Caller& caller, std::int64_t cluster_id) {
  if (caller.is_admin()) return true;
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

void permit(Needs needs, const Caller& caller) {
  if (needs == Needs::Admin && !caller.is_admin()) throw Error(Code::Permission, "");
}

}  // namespace mp
