// What the agent must know of an Envoy bootstrap (envoy.config.bootstrap.v3.Bootstrap as JSON). It
// never changes one: the manager decides what is in it.
#pragma once

#include <stdexcept>
#include <string>

namespace mp::agent {

struct Bootstrap {
  std::string text;        // as received; holds the cluster key
  std::string proxy_id;    // node.id
  std::string proxy_type;  // node.metadata.proxy_type; may be empty
  std::string admin;       // "127.0.0.1:9901"; empty without an admin interface
};

struct BadBootstrap : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws BadBootstrap when it is no JSON object with a node.id.
Bootstrap read_bootstrap(std::string text);

// Whether both say the same, however their members are ordered and spaced.
bool same_bootstrap(const Bootstrap& left, const Bootstrap& right);

}  // namespace mp::agent
