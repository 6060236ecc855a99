// One blocking HTTP request at a time (libcurl), cut short by whatever ends a wait. Used for the
// manager's API and for Envoy's admin interface. Never follows a redirect: it would carry the key
// on.
#pragma once

#include "agent/wake.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mp::agent {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;
  std::string body;
  std::chrono::milliseconds timeout{15'000};  // of the whole exchange
};

struct HttpReply {
  long status = 0;  // 0: no answer, `failure` says why
  std::string body;
  std::optional<std::chrono::seconds> retry_after;  // RFC 9110 section 10.2.3, either form
  std::string failure;
  bool interrupted = false;  // the wait was ended; ask again once that has been looked at

  bool ok() const { return status >= 200 && status < 300; }
};

// Direct: never through a proxy. Environment: as https_proxy and no_proxy say.
enum class Way { Direct, Environment };

class HttpClient {
 public:
  struct Options {
    Way way = Way::Environment;
    std::string ca_file;  // empty: the system's authorities
  };

  HttpClient(Wake& wake, Options options);
  ~HttpClient();

  // Answers of more than 16 MiB are a failure.
  HttpReply send(const HttpRequest& request);

 private:
  struct Handles;
  Wake& wake_;
  Options options_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace mp::agent
