#include "tests/simulation/client.hpp"
#include "tests/simulation/content.hpp"

namespace mp::xds {
namespace {

constexpr std::size_t most_called = 3;

}  // namespace

GrpcClient::GrpcClient(Flavour flavour, Random& random) : OrderlyClient(flavour, random) {
  called_.insert(any_name(Type::Listener, random_));
}

void GrpcClient::begin() {
  of(Type::Listener).names = called_;
  for (Kind& kind : kinds_) kind.requested = !kind.names.empty();
}

// What is good of a response is used even when the rest is not (gRFC A46).
GrpcClient::Verdict GrpcClient::judge(const Response& response, const std::set<std::string>& bad) {
  Verdict verdict{.error = "xDS response validation errors: [", .untaken = bad};
  for (const auto& each : response.resources) verdict.disputed.insert(each->name);
  for (const auto& name : bad) *verdict.error += name + ": INVALID_ARGUMENT: no good; ";
  *verdict.error += "]";
  return verdict;
}

// Each new type from what those before hold.
void GrpcClient::look_for_names() {
  want(Type::Listener, called_);
  std::set<std::string> routes;
  std::set<std::string> clusters;
  for (const Type user : {Type::Listener, Type::Route}) {
    for (const auto& [name, held] : of(user).held) {
      for (const auto& used : references_of(*held.resource)) {
        if (used.type == Type::Route) routes.insert(used.name);
        if (used.type == Type::Cluster) clusters.insert(used.name);
      }
    }
    if (user == Type::Listener) want(Type::Route, routes);
  }
  want(Type::Cluster, clusters);
  std::set<std::string> endpoints;
  for (const auto& [name, held] : of(Type::Cluster).held) endpoints.insert(name);
  want(Type::Endpoint, endpoints);
}

void GrpcClient::act() {
  if (random_.chance(80)) return answer_late();
  call();
}

// Another service, or one less.
void GrpcClient::call() {
  const std::string name = any_name(Type::Listener, random_);
  if (called_.erase(name) == 0 && called_.size() < most_called) called_.insert(name);
  look_for_names();
}

}  // namespace mp::xds
