// Discovery messages as bytes: reads requests and composes responses whose resource bodies are
// shared with the snapshot instead of copied. Used by xds/session; the only place that knows the
// protobuf classes of the discovery service. It does not look into resources.
#pragma once

#include "xds/discovery.hpp"
#include "xds/parcels.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mp::xds {

// Bytes of a message: first `bytes`, then the body of `resource` or a parcel when there is one.
struct Chunk {
  std::string bytes;
  ResourcePtr resource;
  Parcels::Bytes parcel;
};
using Message = std::vector<Chunk>;

// Bodies below this many bytes are cheaper to copy than to refer to.
inline constexpr std::size_t shared_from = 1024;

// envoy.service.discovery.v3.DiscoveryRequest or DeltaDiscoveryRequest. Throws mp::Error
// (Validation) for bytes that are none.
Request parse_request(Flavour flavour, std::string_view bytes);

// From so many resources on, their bytes are made once for all streams.
inline constexpr std::size_t parcelled_from = 16;

// envoy.service.discovery.v3.DiscoveryResponse or DeltaDiscoveryResponse. `parcels` is shared by
// the streams of a group; one flavour each.
Message compose(Flavour flavour, const Response& response, Parcels& parcels);

// All bytes in one string, for tests.
std::string flatten(const Message& message);

}  // namespace mp::xds
