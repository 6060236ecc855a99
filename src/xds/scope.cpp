#include "xds/scope.hpp"

#include "xds/encode.hpp"

#include "envoy/extensions/filters/http/lua/v3/lua.pb.h"
#include "envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.pb.h"

namespace mp::xds {
namespace {

using envoy::config::core::v3::ApiVersion;
using envoy::config::core::v3::HeaderValueOption;
using envoy::extensions::filters::http::lua::v3::Lua;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::extensions::http::early_header_mutation::header_mutation::v3::HeaderMutation;

// Route selection is not sensitive to case nor to a port (RFC 9110 §4.2.3); scope keys are.
constexpr std::string_view plain_host = R"(function envoy_on_request(handle)
  if handle:metadata():get("scope") then return end
  local headers = handle:headers()
  local host = string.lower(headers:get(":authority") or "")
  local bare = string.match(host, "^%[[^%]]*%]") or string.match(host, "^[^:]*")
  headers:replace("@HEADER@", "@ROUTES@|" .. bare)
  handle:clearRouteCache()
end
)";

constexpr std::string_view any_host = R"(function envoy_on_request(handle)
  if handle:metadata():get("scope") then return end
  handle:headers():replace("@HEADER@", "@ROUTES@|*")
  handle:clearRouteCache()
end
)";

std::string fill(std::string_view text, const std::string& routes) {
  std::string filled(text);
  for (const auto& [mark, value] :
       {std::pair<std::string_view, std::string>{"@HEADER@", scope_header},
        std::pair<std::string_view, std::string>{"@ROUTES@", routes}}) {
    filled.replace(filled.find(mark), mark.size(), value);
  }
  return filled;
}

void add_script(HttpConnectionManager& manager, std::string name, std::string source) {
  Lua lua;
  lua.mutable_default_source_code()->set_inline_string(std::move(source));
  auto& filter = *manager.add_http_filters();
  filter.set_name(std::move(name));
  *filter.mutable_typed_config() = pack(lua);
}

}  // namespace

std::string scope_key(std::string_view routes, std::string_view domain) {
  return std::string(routes) + "|" + std::string(domain);
}

void route_by_scope(HttpConnectionManager& manager, const std::string& routes) {
  HeaderMutation mutation;
  auto& append = *mutation.add_mutations()->mutable_append();
  append.set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  append.mutable_header()->set_key(std::string(scope_header));
  append.mutable_header()->set_value(scope_key(routes, "%REQ(:authority)%"));
  auto& early = *manager.add_early_header_mutation_extensions();
  early.set_name("marchproxy.scope");
  *early.mutable_typed_config() = pack(mutation);

  auto& scoped = *manager.mutable_scoped_routes();
  scoped.set_name("hosts");
  auto& extractor =
      *scoped.mutable_scope_key_builder()->add_fragments()->mutable_header_value_extractor();
  extractor.set_name(std::string(scope_header));
  extractor.set_index(0);
  auto& source = *scoped.mutable_scoped_rds()->mutable_scoped_rds_config_source();
  source.mutable_ads();
  source.set_resource_api_version(ApiVersion::V3);

  add_script(manager, "marchproxy.plain_host", fill(plain_host, routes));
  add_script(manager, "marchproxy.any_host", fill(any_host, routes));
}

}  // namespace mp::xds
