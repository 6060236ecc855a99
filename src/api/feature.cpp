#include "api/feature.hpp"

#include "api/context.hpp"

namespace mp::api {
namespace {

void name_default_cluster(Call& call, Error& error) {
  call.read([&](Reader& db) {
    const auto found = db.select<Cluster>({.where = "is_default = 1"});
    if (found.empty()) return;
    error.details["default_cluster"] = {{"id", found.front().id}, {"name", found.front().name}};
  });
}

}  // namespace

void demand(Call& call, std::string_view feature) {
  Licensing& license = call.context.license;
  if (feature.empty() || has_feature(license.now().features, feature)) return;
  license.reload();  // another manager may just have been given a key
  const Entitlement entitlement = license.now();
  if (has_feature(entitlement.features, feature)) return;
  Error error = not_licensed(entitlement, feature);
  if (feature == "multi_cluster") name_default_cluster(call, error);
  throw error;
}

}  // namespace mp::api
