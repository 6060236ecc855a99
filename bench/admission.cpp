// What stands before every request: who asks, and whether he has asked too often. In memory, and
// with MARCHPROXY_TEST_POSTGRES (scripts/with-postgres) with windows that managers share.
#include "access/credential.hpp"
#include "access/rate.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace {

using namespace mp;
using namespace std::chrono_literals;

const Time start = *parse_time("2026-03-01T10:00:00Z");

std::string address(std::size_t number) { return "address:10." + std::to_string(number); }

// One key among as many live ones as the argument says.
void limiter_take(benchmark::State& state) {
  Limiter limiter({.requests = 1'000'000'000, .window = 24h});
  const auto keys = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> names;
  for (std::size_t number = 0; number < keys; ++number) {
    names.push_back(address(number));
    limiter.take(names.back(), start);
  }
  std::size_t at = 0;
  for (auto unused : state) {
    benchmark::DoNotOptimize(limiter.take(names[at], start));
    at = (at + 7919) % keys;
  }
  state.counters["bytes_per_key"] =
      static_cast<double>(limiter.bytes()) / static_cast<double>(limiter.live(start));
}
BENCHMARK(limiter_take)->Arg(100)->Arg(10'000)->Arg(100'000)->Arg(500'000);

// Every key is new, far more of them than are kept.
void limiter_flood(benchmark::State& state) {
  Limiter limiter({.requests = 5, .window = 60s});
  std::size_t number = 0;
  for (; number < 3'000'000; ++number) limiter.take(address(number), start);
  for (auto unused : state) benchmark::DoNotOptimize(limiter.take(address(++number), start));
  state.counters["bytes"] = static_cast<double>(limiter.bytes());
}
BENCHMARK(limiter_flood);

// A store with one session and one cluster.
class Installation {
 public:
  explicit Installation(const std::string& url)
      : store_({.url = url, .data_dir = folder_.path}, clock_) {
    const Actor actor{.user_id = std::nullopt, .name = "bench", .address = "", .request_id = ""};
    store_.write(actor, [&](Writer& db) {
      User user{.username = "bench", .email = "bench@example.com", .password_hash = "none"};
      db.insert(user);
      Session session{.id = "s", .user_id = user.id, .expires_at = clock_.now() + 24h};
      db.insert(session, Logged::No);
      Cluster cluster{.name = "bench",
                      .description = "bench",
                      .syslog_endpoint = "log:514",
                      .api_key = "mp_cluster_...",
                      .key_hash = sha256_hex(key)};
      db.insert(cluster);
      token = tokens_.issue(TokenType::Access, user.id, session.id, 3600s).reveal();
    });
    while (!store_.is_current()) std::this_thread::sleep_for(1ms);
  }

  Store& store() { return store_; }
  Credentials& credentials() { return credentials_; }
  // Remembers nobody yet.
  Credentials stranger() { return {store_, tokens_, clock_}; }
  Time now() const { return clock_.now(); }

  const std::string key = "mp_cluster_" + std::string(43, 'k');
  std::string token;

 private:
  struct Folder {
    std::string path =
        (std::filesystem::temp_directory_path() / ("marchproxy-bench." + random_text(8))).string();
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  Folder folder_;
  SystemClock clock_;
  Store store_;
  Tokens tokens_{Secret(std::string(32, 't')), clock_};
  Credentials credentials_{store_, tokens_, clock_};
};

const char* postgres() { return std::getenv("MARCHPROXY_TEST_POSTGRES"); }

// On SQLite, or on PostgreSQL for 1; none where there is no server.
Installation* installation(benchmark::State& state) {
  static Installation on_sqlite("sqlite:");
  if (state.range(0) == 0) return &on_sqlite;
  static const auto on_postgresql =
      postgres() ? std::make_unique<Installation>(postgres()) : nullptr;
  if (!on_postgresql) state.SkipWithError("needs scripts/with-postgres");
  return on_postgresql.get();
}

void access_token(benchmark::State& state) {
  const auto here = installation(state);
  if (!here) return;
  const auto before = here->store().figures().reads;
  for (auto unused : state)
    if (!here->credentials().by_token(here->token).user) state.SkipWithError("refused");
  state.counters["reads"] = static_cast<double>(here->store().figures().reads - before);
}
BENCHMARK(access_token)->ArgName("postgresql")->Arg(0)->Arg(1);

void cluster_key(benchmark::State& state) {
  const auto here = installation(state);
  if (!here) return;
  for (auto unused : state)
    if (!here->credentials().by_cluster_key(here->key).cluster) state.SkipWithError("refused");
}
BENCHMARK(cluster_key)->ArgName("postgresql")->Arg(0)->Arg(1);

// As after a restart, or while others cannot be heard.
void access_token_unknown(benchmark::State& state) {
  const auto here = installation(state);
  if (!here) return;
  for (auto unused : state) {
    if (!here->stranger().by_token(here->token).user) state.SkipWithError("refused");
  }
}
BENCHMARK(access_token_unknown)->ArgName("postgresql")->Arg(0)->Arg(1);

void rate_take(benchmark::State& state) {
  const auto here = installation(state);
  if (!here) return;
  Registry metrics;
  Rates rates({.authentication = "off", .general = "1000000000/day", .configuration = "off"},
              here->store(), metrics);
  Caller caller;
  caller.user = std::make_shared<const User>(User{.id = 1});
  for (auto unused : state)
    benchmark::DoNotOptimize(rates.take(Rate::General, caller, here->now()));
}
BENCHMARK(rate_take)->ArgName("postgresql")->Arg(0)->Arg(1)->UseRealTime();

void rate_refused(benchmark::State& state) {
  const auto here = installation(state);
  if (!here) return;
  Registry metrics;
  Rates rates({.authentication = "5/day", .general = "off", .configuration = "off"}, here->store(),
              metrics);
  Caller caller;
  caller.address = "192.0.2.1";
  for (auto unused : state)
    benchmark::DoNotOptimize(rates.take(Rate::Authentication, caller, here->now()));
}
BENCHMARK(rate_refused)->ArgName("postgresql")->Arg(0)->Arg(1)->UseRealTime();

}  // namespace
