#include "api/limits.hpp"

#include "api/context.hpp"

namespace mp::api {
namespace {

std::int64_t seconds_until(Time end, Time now) {
  return std::chrono::ceil<std::chrono::seconds>(end - now).count();
}

Error too_many(const Verdict& verdict, Time now) {
  Error error(Code::RateLimit, "");
  error.headers.emplace_back("Retry-After", std::to_string(seconds_until(verdict.reset, now)));
  return error;
}

}  // namespace

std::string client_of(const http::Request& request, const TrustedProxies& proxies) {
  std::vector<std::string_view> forwarded;
  for (const auto& header : request.headers) {
    const std::string_view value = http::find_header({&header, 1}, "X-Forwarded-For");
    if (!value.empty()) forwarded.push_back(value);
  }
  return proxies.client(request.peer, forwarded);
}

void limit(Call& call, Rate rate) {
  const Time now = call.context.clock.now();
  const auto verdict = call.context.rates.take(rate, call.caller, now);
  if (!verdict) return;
  const auto reset = seconds_until(verdict->reset, Time{});
  call.limits = {{"X-RateLimit-Limit", std::to_string(verdict->limit)},
                 {"X-RateLimit-Remaining", std::to_string(verdict->remaining)},
                 {"X-RateLimit-Reset", std::to_string(reset)}};
  if (!verdict->allowed) throw too_many(*verdict, now);
}

}  // namespace mp::api
