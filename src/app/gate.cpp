#include "app/gate.hpp"

#include "api/fleet.hpp"
#include "base/version.hpp"

namespace mp {
namespace {

xds::Admission admission(const Cluster& cluster, const Proxy& proxy, std::optional<Time> until) {
  return {.cluster_id = cluster.id,
          .cluster_name = cluster.name,
          .proxy_id = proxy.id,
          .hostname = proxy.hostname,
          .type = proxy.proxy_type == ProxyKind::Ingress ? xds::ProxyType::Ingress
                                                         : xds::ProxyType::Egress,
          .listen_address = proxy.listen_address,
          .key_valid_until = until};
}

// What a node that never registered says of itself. A word that is not known is no reason to give
// it what it did not ask for, or to listen everywhere.
Registration registration_of(const xds::NodeInfo& node) {
  Registration registration;
  registration.hostname = node.id;
  registration.version = std::string(version);
  if (node.proxy_type == "ingress") {
    registration.proxy_type = ProxyKind::Ingress;
  } else if (!node.proxy_type.empty() && node.proxy_type != "egress") {
    throw Error(Code::Validation, "node.metadata.proxy_type must be egress or ingress");
  }
  if (node.listen_address.empty()) return registration;
  const auto address = normal_address(node.listen_address);
  if (!address)
    throw Error(Code::Validation, "node.metadata.listen_address must be an IPv4 or IPv6 address");
  registration.listen_address = *address;
  return registration;
}

bool is_a_cluster(Reader& db, const std::string& name) {
  return !db.select<Cluster>({.where = "name = :name", .values = {{"name", name}}}).empty();
}

// A bootstrap keeps the name that its cluster had: renaming it must lock nobody out. A proxy that
// is registered is known by its id, whoever has the old name now.
bool names_another(Reader& db, const Cluster& cluster, const xds::NodeInfo& node,
                   const std::optional<Proxy>& known) {
  if (node.cluster.empty() || node.cluster == cluster.name) return false;
  if (node.proxyless) return is_a_cluster(db, node.cluster);
  return !known || known->cluster_id != cluster.id;
}

}  // namespace

xds::Admission DatabaseGate::admit(std::string_view cluster_key, const xds::NodeInfo& node) {
  std::optional<Time> until;
  const Caller caller = context_.credentials.by_cluster_key(cluster_key, until);
  if (!caller.cluster) throw Error(Code::Authentication, "");
  const Cluster& cluster = *caller.cluster;
  std::optional<Proxy> known;
  bool is_refused = false;
  context_.store.read([&](Reader& db) {
    known = db.find<Proxy>(node.id);
    is_refused = names_another(db, cluster, node, known);
  });
  if (is_refused)
    throw Error(Code::Permission, "The key is not of the cluster that the node names");
  if (node.proxyless) {
    return {.cluster_id = cluster.id,
            .cluster_name = cluster.name,
            .proxy_id = node.id,
            .hostname = node.id,
            .type = xds::ProxyType::Proxyless,
            .listen_address = "",
            .key_valid_until = until};
  }
  if (known && known->cluster_id != cluster.id)
    throw Error(Code::Permission, "The node is another cluster's");
  if (known) return admission(cluster, *known, until);
  Proxy proxy;
  const Actor actor{
      .user_id = std::nullopt, .name = caller.name(), .address = node.peer, .request_id = ""};
  context_.store.write(actor, [&](Writer& db) {
    const api::Enrolment enrolment{
        .wanted_id = node.id, .registration = registration_of(node), .cluster_id = cluster.id};
    proxy = api::enrol(db, context_, enrolment);
  });
  return admission(cluster, proxy, until);
}

void DatabaseGate::admit_reader(std::string_view token, std::string_view peer) {
  Caller caller;
  if (!token.empty()) caller = context_.credentials.by_token(token);
  caller.address = peer;
  if (caller.api_key) context_.key_use.note(caller.api_key->id, context_.clock.now());
  authenticate(Needs::Admin, caller);
  permit({.needs = Needs::Admin, .permission = Permission::Read}, caller);
}

std::optional<Time> DatabaseGate::check(std::string_view cluster_key, std::int64_t cluster_id) {
  std::optional<Time> until;
  const Caller caller = context_.credentials.by_cluster_key(cluster_key, until);
  if (!caller.cluster) throw Error(Code::Authentication, "");
  if (caller.cluster->id != cluster_id) throw Error(Code::Permission, "");
  return until;
}

}  // namespace mp
