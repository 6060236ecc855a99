// Envoy's admin interface on this machine: is it ready, what does it count, and please drain.
// Nothing here decides; every call gives up after two seconds.
#pragma once

#include "agent/http_client.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mp::agent {

// Totals since Envoy's start, without its admin listener.
struct EnvoyStats {
  std::uint64_t connections = 0;     // open now, over all TCP listeners
  std::uint64_t requests = 0;        // HTTP
  std::uint64_t bytes_sent = 0;      // to clients: HTTP, TCP and UDP
  std::uint64_t bytes_received = 0;  // from clients
  bool control_plane_lost = false;   // Envoy has an xDS stream configured, and it is not connected
};

// Reads the answer of /stats?format=json; nullopt when it is something else.
std::optional<EnvoyStats> parse_stats(std::string_view json_text);

// Answer::Silent: it did not answer in time.
enum class Answer { Ready, NotReady, Silent };

class EnvoyAdmin {
 public:
  EnvoyAdmin(Wake& wake, const std::string& address);

  Answer ready();
  std::optional<EnvoyStats> stats();

  // From now on Envoy fails its health checks and closes each HTTP connection with its next answer;
  // its listeners still accept. False when it did not answer.
  bool drain();

 private:
  HttpReply call(const std::string& method, const std::string& path);

  std::string base_;
  HttpClient client_;
};

}  // namespace mp::agent
