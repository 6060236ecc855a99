#include "api/observe.hpp"

namespace mp::api {

Observer::Observer(Registry& metrics) : metrics_(metrics) {}

Observer::Series& Observer::series(const Answered& labels) {
  const std::lock_guard lock(mutex_);
  const auto found = series_.find(labels);
  if (found != series_.end()) return found->second;
  Series made{.requests = &metrics_.counter("marchproxy_api_requests_total", "Total API requests",
                                            {{"method", labels.method},
                                             {"endpoint", labels.endpoint},
                                             {"status", std::to_string(labels.status)}}),
              .seconds = &metrics_.histogram(
                  "marchproxy_api_request_duration_seconds", "Time from request to answer",
                  request_seconds(), {{"method", labels.method}, {"endpoint", labels.endpoint}})};
  return series_.emplace(labels, made).first->second;
}

void Observer::answered(const Answered& labels, std::chrono::steady_clock::duration took) {
  Series& each = series(labels);
  each.requests->add();
  each.seconds->observe(std::chrono::duration<double>(took).count());
}

std::string Observer::label(const Route& route) {
  if (!route.endpoint) return "other";
  return route.endpoint->at_root ? route.endpoint->path : "/api" + route.endpoint->path;
}

void Observer::deprecate(const Route& route, http::Headers& headers) {
  headers.emplace_back("Deprecation", "@1765497600");  // 2025-12-12, when v1 came
  headers.emplace_back("Sunset", "Sat, 12 Dec 2026 00:00:00 GMT");
  headers.emplace_back("Link", "</api/v1" + route.rest + ">; rel=\"successor-version\"");
}

}  // namespace mp::api
