// Asking a server outside: one request, bounded in time and size, without redirects. What pure code
// must not reach for by itself; passed by reference from main, tests pass a server of their own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp {

struct FetchRequest {
  std::string url;
  std::string method = "POST";         // or GET, HEAD: without a body
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};
  std::string ca{};                         // PEM file of authorities; empty: the system's
  std::chrono::milliseconds timeout{5000};  // from looking up the name to the last byte
  std::size_t most_bytes = 64u << 10;       // of the answer's body
};

struct FetchReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
  std::string body{};
  std::string failure{};  // why there is no whole answer; empty when there is one

  // The value of the header; empty when there is none. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

class Fetch {
 public:
  virtual ~Fetch() = default;
  // Thread-safe. Whatever goes wrong is a `failure`; throws Unavailable after `stop`.
  virtual FetchReply ask(const FetchRequest& request) = 0;
  // What is under way ends within a second.
  virtual void stop() = 0;
};

// By libcurl, HTTP and HTTPS with verified certificates; takes the proxy of the environment.
class CurlFetch final : public Fetch {
 public:
  CurlFetch();
  FetchReply ask(const FetchRequest& request) override;
  void stop() override { stopped_ = true; }

 private:
  std::atomic<bool> stopped_{false};
};

}  // namespace mp
