// What is counted of every answer, labelled by the endpoint's template, and the headers of old
// versions.
#pragma once

#include "api/router.hpp"
#include "base/metrics.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace mp::api {

struct Answered {
  const Endpoint* endpoint = nullptr;  // null: there was none
  std::string_view method;             // then the request's
  int status = 0;
};

class Observer {
 public:
  explicit Observer(Registry& metrics);
  void answered(const Answered& answered, std::chrono::steady_clock::duration took);

  // RFC 9745 Deprecation, RFC 8594 Sunset and the successor of a /api/v0 path.
  static void deprecate(const Route& route, http::Headers& headers);

 private:
  struct Series {
    Counter* requests;
    Histogram* seconds;
  };
  Series& series(const Answered& answered);
  Series make(const Answered& answered);

  Registry& metrics_;
  std::mutex mutex_;
  std::map<std::pair<const Endpoint*, int>, Series> series_;
  std::map<std::pair<std::string, int>, Series> without_endpoint_;  // by method
};

}  // namespace mp::api
