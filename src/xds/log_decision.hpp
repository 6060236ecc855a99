// What an entry of Envoy's access log shows of a decision about a caller: whether it was let in, as
// whom, to which mapping, and why not. Pure; used by log_entry.
#pragma once

#include "xds/config.hpp"
#include "xds/mark.hpp"

#include "envoy/data/accesslog/v3/accesslog.pb.h"

#include <optional>
#include <string>

namespace mp::xds {

struct Decision {
  bool allowed = false;
  Mark::Proof proof = Mark::Proof::None;
  std::string caller;  // a service's name, or empty where an address is all that is known
  std::string reason;  // of a refusal
};

// nullopt when nothing had to be proved.
std::optional<Decision> decision_of(const envoy::data::accesslog::v3::HTTPAccessLogEntry& entry,
                                    const ClusterConfig& config);
std::optional<Decision> decision_of(const envoy::data::accesslog::v3::TCPAccessLogEntry& entry,
                                    const ClusterConfig& config);

// The mapping of an entry; 0 when none is known.
std::int64_t mapping_of(const envoy::data::accesslog::v3::HTTPAccessLogEntry& entry);
std::int64_t mapping_of(const envoy::data::accesslog::v3::TCPAccessLogEntry& entry,
                        const ClusterConfig& config);

// The service that the Envoy cluster `upstream` leads to; empty for a pool of several. Where Envoy
// did not choose an upstream, the one that `mapping` would have led to, for `host` if it has many.
struct Destination {
  std::string_view upstream;
  std::int64_t mapping = 0;
  std::string_view host{};  // of a request, as it came
};
std::string service_of(const Destination& destination, const ClusterConfig& config);

// Entries of the UDP proxy tell of a session of datagrams.
bool is_udp(const envoy::data::accesslog::v3::TCPAccessLogEntry& entry);

// Text under a filter's dynamic metadata; empty when there is none.
std::string metadata_text(const envoy::data::accesslog::v3::AccessLogCommon& common,
                          std::string_view filter, std::string_view key);

}  // namespace mp::xds
