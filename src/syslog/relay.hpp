// Sends records of clusters to their syslog servers (RFC 5424 over UDP, TCP or TLS), on a thread of
// its own. Nobody waits for a server: what it does not take is kept up to a bound, then dropped and
// counted. Built by app/manager; xds/log_report gives it records, the API asks how servers stand.
#pragma once

#include "base/time.hpp"
#include "syslog/record.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mp::syslog {

struct RelayOptions {
  std::size_t buffer = 4u << 20;  // bytes that wait for one server
  std::string authorities{};      // PEM file that TLS servers are verified by; empty: the system's
  Milliseconds first_pause{1'000};  // after a failure; doubles
  Milliseconds longest_pause{30'000};
  Milliseconds patience{10'000};  // with a name, a connection, a write
  Milliseconds farewell{2'000};   // for what waits when the relay stops
};

// Where the records of a cluster go.
struct Direction {
  std::int64_t cluster_id = 0;
  std::string cluster_name;
  std::string endpoint;  // as read_endpoint takes it; empty: nowhere, and what waits is dropped
};

// How one server stands; the numbers are records since the start.
struct Standing {
  std::string cluster_name;
  std::string endpoint;
  std::string fault{};  // why it cannot be reached; empty when nothing is wrong
  std::uint64_t sent = 0;
  std::uint64_t dropped_full = 0;     // there was no room
  std::uint64_t dropped_refused = 0;  // datagrams that the machine had no use for, at least
  std::uint64_t dropped_off = 0;      // waited when logging was switched off
  std::size_t waiting = 0;            // bytes
};

class Relay {
 public:
  // Throws std::runtime_error when the file of authorities cannot be read.
  explicit Relay(RelayOptions options);
  ~Relay();  // stop()
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // All are safe from any thread and return at once.
  void direct(const Direction& direction);
  // Records of a cluster that was never directed anywhere are forgotten.
  void put(std::int64_t cluster_id, const std::vector<Record>& records);
  std::optional<Standing> standing(std::int64_t cluster_id) const;

  // Sends what waits, as far as servers take it within `farewell`, and ends. Idempotent.
  void stop();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mp::syslog
