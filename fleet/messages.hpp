// Requests and responses of both variants of xDS as bytes. Reads of a response only what a proxy
// must know: which resources came, by pointer into the catalogue; a body that was seen before is
// not taken apart again. Used by proxy.cpp and line.cpp.
#pragma once

#include "fleet/catalogue.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf::io {
class ZeroCopyInputStream;
}

namespace mp::fleet {

enum class Variant { Delta, StateOfTheWorld };

struct Identity {
  std::string node;
  std::string cluster;
  std::string proxy_type;
};

struct Request {
  Type type = Type::Cluster;
  std::vector<NameId> subscribe;  // state of the world: all names
  std::vector<NameId> unsubscribe;
  std::vector<const Resource*> held;  // initial_resource_versions
  std::string version;                // state of the world
  std::string nonce;
};

struct Response {
  Type type = Type::Cluster;
  std::string version;
  std::string nonce;
  std::vector<const Resource*> resources;
  std::vector<NameId> removed;
};

// A message is its own bytes and those that it shares with others, one after another.
struct Bytes {
  std::string own;
  std::vector<std::shared_ptr<const std::string>> shared;
};

// `identity` is in the first request of a stream only.
Bytes to_bytes(Variant variant, const Request& request, const Identity* identity,
               Catalogue& catalogue);

// False when the bytes are no response of a known type.
bool read(Variant variant, google::protobuf::io::ZeroCopyInputStream& input, Catalogue& catalogue,
          Response& response);

}  // namespace mp::fleet
