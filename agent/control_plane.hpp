// The three calls of the manager's REST API that an agent makes. Turns answers into values and
// refusals into RequestFailed with a text for the log. Holds no state but the connection; never
// retries.
#pragma once

#include "agent/backoff.hpp"
#include "agent/http_client.hpp"
#include "agent/settings.hpp"
#include "base/secret.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace mp::agent {

struct Registration {
  std::string proxy_id;
  std::int64_t cluster_id = 0;
  std::chrono::seconds heartbeat_interval{30};  // 1..3600
};

struct RequestFailed : std::runtime_error {
  long status = 0;  // 0: no answer
  std::optional<std::chrono::seconds> retry_after;
  bool interrupted = false;

  RequestFailed(const std::string& text, const HttpReply& reply)
      : std::runtime_error(text),
        status(reply.status),
        retry_after(reply.retry_after),
        interrupted(reply.interrupted) {}
};

// When to try again: what Retry-After says (at most an hour) and a little jitter; within 15 to 30 s
// for a refusal that only an operator can change (400, 401, 402 and the like); else by `backoff`.
// `share` is in [0, 1).
std::chrono::milliseconds retry_delay(const RequestFailed& failed, Backoff& backoff, double share);

class ControlPlane {
 public:
  // `secret_file`: Envoy's, of the certificate that the settings name; empty where they name none.
  ControlPlane(const Settings& settings, std::string secret_file, Wake& wake);

  // POST /proxy/register.
  Registration register_proxy(const Secret& key);
  // GET /proxy/bootstrap: a complete Envoy bootstrap as JSON text.
  std::string bootstrap(const Secret& key, const std::string& proxy_id);
  // POST /proxy/heartbeat.
  void heartbeat(const Secret& key, const boost::json::object& body);

 private:
  HttpReply call(HttpRequest request, const Secret& key);

  const Settings& settings_;
  std::string secret_file_;
  HttpClient client_;
};

}  // namespace mp::agent
