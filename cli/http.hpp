// One HTTP exchange at a time (libcurl). What client.cpp speaks through; tests put an exchange of
// their own in its place. Never follows a redirect: it would carry the token on.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp::cli {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};
  std::chrono::milliseconds timeout{30'000};  // of the whole exchange
};

struct HttpReply {
  long status = 0;                                             // 0: no answer, `failure` says why
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body{};
  std::string failure{};

  std::string_view header(std::string_view name) const;  // empty when it is not there
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual HttpReply send(const HttpRequest& request) = 0;
};

// `ca_file` empty: the system's authorities. Proxies of the environment are used.
std::unique_ptr<Transport> make_transport(std::string ca_file);

}  // namespace mp::cli
