// What the derived tests need of a manager: one of each object, a caller of each kind, and for
// every endpoint a path and a body that it takes. Endpoints that it knows no path or body for are
// `uncovered`.
#pragma once

#include "api/api.hpp"
#include "given_certificate.hpp"
#include "stage.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace mp::test {

// A caller and the column of the access matrix.
struct Role {
  std::string name;
  As as;
};

enum class Edition { Community, Enterprise };

class World {
 public:
  World(const std::string& kind, Edition edition);

  Stage& stage() { return stage_; }
  const std::vector<Role>& roles() const { return roles_; }
  // The one whom the endpoint lets in.
  const As& allowed(const api::Endpoint& endpoint) const;

  // The path with objects that are there, made anew where the endpoint may take them away; nullopt
  // when there is no example.
  std::optional<std::string> path(const api::Endpoint& endpoint);
  std::string path_with(const api::Endpoint& endpoint, const std::string& value) const;
  // A body that is right in every declared field; empty when there is none to send.
  boost::json::object body(const api::Endpoint& endpoint);
  // Before and after a request of the caller: what it takes to be right, and what it changes of
  // him.
  void prepare(const api::Endpoint& endpoint, const As& as);
  void settle(const api::Endpoint& endpoint, const As& as);
  // Query parameters without which the endpoint refuses.
  std::string query(const api::Endpoint& endpoint) const;

 private:
  std::string uploaded();
  boost::json::object issued();
  std::string made(const std::string& target, const boost::json::object& body);
  As key_of(const As& owner, const boost::json::array& permissions);
  std::string register_proxy();
  std::optional<std::string> example(const api::Endpoint& endpoint);
  boost::json::value example_value(const std::string& name, const boost::json::object& schema);

  Stage stage_;
  std::vector<Role> roles_;
  std::string proxy_id_;
  std::string refresh_token_;
  CertificateMaker certificates_;
  std::string totp_code_ = "123456";
  int count_ = 0;
};

// The declared schema of an endpoint's body.
boost::json::object body_schema(const api::Endpoint& endpoint);

}  // namespace mp::test
