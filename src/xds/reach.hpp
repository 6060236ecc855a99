// Whether proxies of one type let a caller through to a service, and by what; or what is missing.
// Told from the plans, claims and guards that the configuration is made of, and by settling them as
// it does. Pure. Used by api/reachability.
#pragma once

#include "xds/claims.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mp::xds {

struct Journey {
  std::optional<std::int64_t> from;  // a service; none: anybody, whoever he is
  std::int64_t to = 0;               // a service
  int port = 0;
  Protocol protocol = Protocol::Http;
};

// What the caller must show.
struct Proof {
  enum class Kind { Nothing, Address, Token, Key, Certificate };
  Kind kind = Kind::Nothing;
  PartyPtr of;                           // whose credential it is
  std::vector<std::string> addresses{};  // Kind::Address: where he must come from
  bool operator==(const Proof&) const = default;
};

struct Way {
  enum class Tls { None, Ended, PassedThrough };
  std::shared_ptr<const Mapping> mapping;
  bool names_caller = false;         // or is only open to him
  std::vector<std::string> domains;  // what he asks for, by Host or as the server's name
  std::string path_prefix = "/";
  Tls tls = Tls::None;
  std::vector<std::int64_t> certificates;  // that prove the proxy to him
  std::vector<Proof> proofs;               // one of them will do
  Object upstream;                         // what the resources of the destination come from
  std::vector<std::string> warnings;       // what the translation says of the mapping
};

struct Obstacle {
  enum class Kind {
    NoMapping,
    Disabled,
    ProxyType,
    Port,
    Protocol,
    Certificate,
    Shadowed,
    Denied,
    Unsupported
  };
  Kind kind = Kind::NoMapping;
  std::optional<Object> object;
  std::string message;
};

// What one type of proxies does on one port at one moment.
class Reach {
 public:
  struct Ground {
    ProxyType type = ProxyType::Egress;
    int port = 0;
  };
  Reach(ClusterConfigPtr config, Ground ground, Time now);
  ~Reach();
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

  // Without obstacles when there are ways; never without both. The services are of the cluster,
  // the port is the ground's.
  struct Outlook {
    std::vector<Way> ways;
    std::vector<Obstacle> obstacles;
  };
  Outlook look(const Journey& journey) const;

 private:
  struct Lie;  // of the land: plans and what they are made from
  std::unique_ptr<Lie> lie_;
};

}  // namespace mp::xds
