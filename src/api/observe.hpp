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
  std::string method;
  std::string endpoint;  // "/api/services/{id}"
  int status = 0;
  auto operator<=>(const Answered&) const = default;
};

class Observer {
 public:
  explicit Observer(Registry& metrics);
  void answered(const Answered& labels, std::chrono::steady_clock::duration took);

  // The template without version; "other" for paths that do not exist, so that labels stay few.
  static std::string label(const Route& route);
  // RFC 9745 Deprecation, RFC 8594 Sunset and the successor of a /api/v0 path.
  static void deprecate(const Route& route, http::Headers& headers);

 private:
  struct Series {
    Counter* requests;
    Histogram* seconds;
  };
  Series& series(const Answered& labels);

  Registry& metrics_;
  std::mutex mutex_;
  std::map<Answered, Series> series_;
};

}  // namespace mp::api
