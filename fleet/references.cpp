#include "fleet/references.hpp"

#include <envoy/config/cluster/v3/cluster.pb.h>
#include <envoy/config/endpoint/v3/endpoint.pb.h>
#include <envoy/config/listener/v3/listener.pb.h>
#include <envoy/config/route/v3/route.pb.h>
#include <envoy/config/route/v3/scoped_route.pb.h>
#include <envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h>
#include <envoy/extensions/transport_sockets/tls/v3/secret.pb.h>
#include <google/protobuf/any.pb.h>

#include <memory>

namespace mp::fleet {
namespace {

namespace proto = google::protobuf;
namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
namespace tls = envoy::extensions::transport_sockets::tls::v3;
namespace route = envoy::config::route::v3;

constexpr int deepest = 64;  // messages within messages

class Walk {
 public:
  explicit Walk(References& found) : found_(found) {}

  void visit(const proto::Message& message, int depth = 0) {
    if (depth > deepest) return;
    const proto::Descriptor* kind = message.GetDescriptor();
    if (kind == proto::Any::descriptor()) return visit_any(message, depth);
    if (kind == hcm::Rds::descriptor()) {
      const auto& rds = dynamic_cast<const hcm::Rds&>(message);
      if (rds.config_source().has_ads()) need(Type::Route, rds.route_config_name());
    } else if (kind == hcm::ScopedRds::descriptor()) {
      found_.scopes = true;
    } else if (kind == tls::SdsSecretConfig::descriptor()) {
      const auto& secret = dynamic_cast<const tls::SdsSecretConfig&>(message);
      if (secret.sds_config().has_ads()) need(Type::Secret, secret.name());
    }
    visit_fields(message, depth);
  }

 private:
  void need(Type type, const std::string& name) { found_.needs.emplace_back(type, name); }

  void visit_any(const proto::Message& message, int depth) {
    const auto& any = dynamic_cast<const proto::Any&>(message);
    const auto slash = any.type_url().rfind('/');
    const auto* kind = proto::DescriptorPool::generated_pool()->FindMessageTypeByName(
        any.type_url().substr(slash == std::string::npos ? 0 : slash + 1));
    if (!kind) return;
    const std::unique_ptr<proto::Message> inner{
        proto::MessageFactory::generated_factory()->GetPrototype(kind)->New()};
    if (inner->ParseFromString(any.value())) visit(*inner, depth + 1);
  }

  void visit_fields(const proto::Message& message, int depth) {
    const proto::Reflection& reflection = *message.GetReflection();
    std::vector<const proto::FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const auto* field : fields) {
      if (field->cpp_type() != proto::FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (!field->is_repeated()) {
        visit(reflection.GetMessage(message, field), depth + 1);
        continue;
      }
      for (int n = 0; n < reflection.FieldSize(message, field); ++n)
        visit(reflection.GetRepeatedMessage(message, field, n), depth + 1);
    }
  }

  References& found_;
};

template <class Message>
void read(References& found, const proto::Any& any, Message& message) {
  if (!any.UnpackTo(&message)) return;
  Walk{found}.visit(message);
}

void read_cluster(References& found, const proto::Any& any) {
  envoy::config::cluster::v3::Cluster cluster;
  read(found, any, cluster);
  found.name = cluster.name();
  if (cluster.type() != envoy::config::cluster::v3::Cluster::EDS) return;
  const auto& service = cluster.eds_cluster_config().service_name();
  found.needs.emplace_back(Type::Endpoint, service.empty() ? cluster.name() : service);
}

template <class Message>
std::string named(References& found, const proto::Any& any) {
  Message message;
  read(found, any, message);
  return message.name();
}

}  // namespace

References references_of(Type type, std::string_view bytes) {
  References found;
  proto::Any any;
  if (!any.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return found;
  switch (type) {
    case Type::Cluster: read_cluster(found, any); break;
    case Type::Endpoint: {
      envoy::config::endpoint::v3::ClusterLoadAssignment endpoints;
      if (any.UnpackTo(&endpoints)) found.name = endpoints.cluster_name();
      break;
    }
    case Type::Secret: found.name = named<tls::Secret>(found, any); break;
    case Type::Listener:
      found.name = named<envoy::config::listener::v3::Listener>(found, any);
      break;
    case Type::Route: found.name = named<route::RouteConfiguration>(found, any); break;
    case Type::ScopedRoute: {
      route::ScopedRouteConfiguration scope;
      read(found, any, scope);
      found.name = scope.name();
      if (!scope.route_configuration_name().empty())
        found.needs.emplace_back(Type::Route, scope.route_configuration_name());
      break;
    }
  }
  return found;
}

}  // namespace mp::fleet
