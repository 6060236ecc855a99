#include "api/observe.hpp"

namespace mp::api {

Observer::Observer(Registry& metrics) : metrics_(metrics) {}

Observer::Series& Observer::series(const Answered& answered) {
  const std::lock_guard lock(mutex_);
  const auto find = [&](auto& all, auto key) -> Series& {
    const auto found = all.find(key);
    return found != all.end() ? found->second : all.emplace(key, make(answered)).first->second;
  };
  if (answered.endpoint) return find(series_, std::pair(answered.endpoint, answered.status));
  return find(without_endpoint_, std::pair(std::string(answered.method), answered.status));
}

// The endpoint's template without version; "other" for paths that do not exist, so that labels stay
// few.
Observer::Series Observer::make(const Answered& answered) {
  const Endpoint* endpoint = answered.endpoint;
  const std::string method = endpoint ? endpoint->method : std::string(answered.method);
  const std::string label = !endpoint           ? "other"
                            : endpoint->at_root ? endpoint->path
                                                : "/api" + endpoint->path;
  return {
      .requests = &metrics_.counter(
          "marchproxy_api_requests_total", "Total API requests",
          {{"method", method}, {"endpoint", label}, {"status", std::to_string(answered.status)}}),
      .seconds = &metrics_.histogram("marchproxy_api_request_duration_seconds",
                                     "Time from request to answer", request_seconds(),
                                     {{"method", method}, {"endpoint", label}})};
}

void Observer::answered(const Answered& answered, std::chrono::steady_clock::duration took) {
  Series& each = series(answered);
  each.requests->add();
  each.seconds->observe(std::chrono::duration<double>(took).count());
}

void Observer::deprecate(const Route& route, http::Headers& headers) {
  headers.emplace_back("Deprecation", "@1765497600");  // 2025-12-12, when v1 came
  headers.emplace_back("Sunset", "Sat, 12 Dec 2026 00:00:00 GMT");
  headers.emplace_back("Link", "</api/v1" + route.rest + ">; rel=\"successor-version\"");
}

}  // namespace mp::api
