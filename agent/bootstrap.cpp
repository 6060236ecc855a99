#include "agent/bootstrap.hpp"

#include "agent/json_path.hpp"

#include <utility>

namespace json = boost::json;

namespace mp::agent {
namespace {

// Where to reach the admin interface from this machine.
std::string admin_of(const json::value& root) {
  const auto port = integer_at(root, {"admin", "address", "socket_address", "port_value"}, 0);
  if (port < 1 || port > 65535) return {};
  std::string address = text_at(root, {"admin", "address", "socket_address", "address"});
  if (address.empty() || address == "0.0.0.0") address = "127.0.0.1";
  if (address == "::") address = "::1";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return address + ":" + std::to_string(port);
}

}  // namespace

Bootstrap read_bootstrap(std::string text) {
  const json::value root = parsed(text);
  if (!root.is_object()) throw BadBootstrap("the bootstrap is no JSON object");
  Bootstrap bootstrap{.proxy_id = text_at(root, {"node", "id"}),
                      .proxy_type = text_at(root, {"node", "metadata", "proxy_type"}),
                      .admin = admin_of(root)};
  if (bootstrap.proxy_id.empty()) throw BadBootstrap("the bootstrap has no node.id");
  bootstrap.text = std::move(text);
  return bootstrap;
}

bool same_bootstrap(const Bootstrap& left, const Bootstrap& right) {
  return left.text == right.text || parsed(left.text) == parsed(right.text);
}

}  // namespace mp::agent
