#include "model/service.hpp"

#include <algorithm>

namespace mp {

void check_service(const void* object, Violations& violations) {
  const auto& service = *static_cast<const Service*>(object);
  if (service.name == "any")
    violations.push_back({"name", "Is the word that mappings use for anybody", "any"});
  if (service.auth_config.jwt_expiry && service.auth_type != AuthType::Jwt) {
    violations.push_back({"auth_config.jwt_expiry", "Is only for auth_type jwt"});
  }
  if (service.auth_config.header && service.auth_type != AuthType::ApiKey) {
    violations.push_back({"auth_config.header", "Is only for auth_type api_key"});
  }
  if (service.health_check && service.health_check->timeout > service.health_check->interval) {
    violations.push_back({"health_check.timeout", "Must not be longer than the interval"});
  }
}

void settle_service(void* object, std::span<const std::string_view> changed) {
  const auto is_changed = [&](std::string_view name) {
    return std::ranges::find(changed, name) != changed.end();
  };
  auto& service = *static_cast<Service*>(object);
  AuthConfig& config = service.auth_config;
  // What was set for the type before goes with it. So does its usual value, which nobody has set.
  const bool all = !is_changed("auth_config");
  const bool usual = is_changed("auth_type");
  if (service.auth_type != AuthType::Jwt &&
      (all || (usual && config.jwt_expiry == usual_jwt_expiry)))
    config.jwt_expiry.reset();
  if (service.auth_type != AuthType::ApiKey &&
      (all || (usual && config.header == usual_key_header)))
    config.header.reset();
  if (service.auth_type == AuthType::Jwt && !config.jwt_expiry)
    config.jwt_expiry = usual_jwt_expiry;
  if (service.auth_type == AuthType::ApiKey && !config.header)
    config.header = std::string(usual_key_header);
}

void reveal_secret(Service& service) {
  if (service.auth_type == AuthType::Jwt) service.auth_config.jwt_secret = service.secret;
  if (service.auth_type == AuthType::ApiKey) service.auth_config.api_key = service.secret;
}

}  // namespace mp
