#include "fleet/report.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>

namespace mp::fleet {
namespace {

namespace json = boost::json;

double unix_seconds(Moment moment) {
  return std::chrono::duration<double>(moment.time_since_epoch()).count();
}

void print_line(const json::object& object) {
  std::printf("%s\n", json::serialize(object).c_str());
  std::fflush(stdout);
}

}  // namespace

void Report::event(const std::string& name, const Change& change) {
  if (form_ == Form::Json) {
    return print_line({{"event", name},
                       {"proxies", change.proxies},
                       {"began", unix_seconds(change.began)},
                       {"ended", unix_seconds(change.ended)},
                       {"half_ms", change.half * 1000},
                       {"p99_ms", change.p99 * 1000},
                       {"all_ms", change.all * 1000},
                       {"responses", change.responses},
                       {"resources", change.resources},
                       {"bytes", change.bytes}});
  }
  if (!std::exchange(headed_, true))
    std::printf("%-12s %8s %10s %10s %10s %10s %10s %14s\n", "EVENT", "PROXIES", "HALF ms",
                "P99 ms", "ALL ms", "RESPONSES", "RESOURCES", "BYTES");
  std::printf("%-12s %8zu %10.1f %10.1f %10.1f %10llu %10llu %14llu\n", name.c_str(),
              change.proxies, change.half * 1000, change.p99 * 1000, change.all * 1000,
              static_cast<unsigned long long>(change.responses),
              static_cast<unsigned long long>(change.resources),
              static_cast<unsigned long long>(change.bytes));
  std::fflush(stdout);
}

void Report::lost(std::size_t streams, const Ended& last) {
  if (form_ == Form::Json)
    return print_line({{"event", "lost"},
                       {"proxies", streams},
                       {"grpc_status", last.status},
                       {"message", last.message}});
  std::printf("%-12s %8zu  status %d: %s\n", "lost", streams, last.status, last.message.c_str());
  std::fflush(stdout);
}

void Report::note(const std::string& text) const {
  std::fprintf(stderr, "marchproxy-fleet: %s\n", text.c_str());
}

}  // namespace mp::fleet
