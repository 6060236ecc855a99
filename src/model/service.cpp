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
  if (std::ranges::find(changed, "auth_config") != changed.end()) return;
  auto& service = *static_cast<Service*>(object);
  if (service.auth_type != AuthType::Jwt) service.auth_config.jwt_expiry.reset();
  if (service.auth_type != AuthType::ApiKey) service.auth_config.header.reset();
}

}  // namespace mp
