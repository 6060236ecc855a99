#include "fleet/fleet.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace mp::fleet {
namespace {

constexpr std::chrono::milliseconds glance{10};
constexpr std::chrono::milliseconds progress_every{1'000};
constexpr std::chrono::seconds farewell{30};
constexpr std::chrono::seconds quiet{1};  // after a reconnect

double seconds(Clock::duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

Fleet::Fleet(const Options& options, Report& report, std::function<bool()> stopped)
    : options_(options),
      report_(report),
      stopped_(std::move(stopped)),
      board_(options.proxies, options.variant),
      client_(client_options(options.target)) {
  lines_.reserve(options.proxies);
  for (std::size_t n = 0; n < options.proxies; ++n) {
    lines_.emplace_back(board_, client_, options.target,
                        Identity{.node = options.node_prefix + std::to_string(n + 1),
                                 .cluster = options.cluster,
                                 .proxy_type = options.proxy_type},
                        n);
  }
}

Fleet::~Fleet() { end_all(); }

int Fleet::run() {
  if (!start()) {
    tell_lost();
    return 1;
  }
  watch();
  if (tell_lost()) return 1;
  if (options_.at_end == AtEnd::Reconnect && !stopped_()) {
    reconnect();
    if (tell_lost()) return 1;
  }
  return board_.unreadable == 0 ? 0 : 1;
}

void Fleet::connect_all() {
  for (Line& line : lines_) line.connect();
}

// Asks now and then until `done`, the end of the time, or the end of the program.
bool Fleet::wait(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const auto end = Clock::now() + limit;
  while (!done()) {
    if (Clock::now() > end || stopped_()) return false;
    std::this_thread::sleep_for(glance);
  }
  return true;
}

bool Fleet::start() {
  const Moment began = Clock::now();
  connect_all();
  auto next_note = began + progress_every;
  const bool all = wait(options_.patience, [&] {
    if (Clock::now() > next_note) {
      next_note += progress_every;
      report_.note(std::to_string(board_.ready) + " of " + std::to_string(lines_.size()) +
                   " ready, " + std::to_string(board_.open) + " connected");
    }
    return board_.ready == lines_.size() || board_.open == 0;
  });
  if (board_.open == 0 && board_.ready == 0) return false;
  std::optional<Change> change;
  wait(options_.pause * 10 + farewell,
       [&] { return (change = board_.gauge.finished(Clock::now(), options_.pause)).has_value(); });
  if (!change) return false;
  std::vector<double> times;
  for (const Line& line : lines_) {
    if (line.ready()) times.push_back(seconds(line.ready_at() - began));
  }
  if (times.empty()) return false;
  std::ranges::sort(times);
  change->began = began;
  change->proxies = times.size();
  change->half = times[times.size() / 2];
  change->p99 = times[times.size() * 99 / 100];
  change->all = times.back();
  report_.event("ready", *change);
  return all && board_.ready == lines_.size();
}

void Fleet::watch() {
  wait(options_.duration, [&] {
    if (const auto change = board_.gauge.finished(Clock::now(), options_.pause))
      report_.event("change", *change);
    return board_.open < lines_.size();
  });
  if (const auto change = board_.gauge.finished(Clock::now(), options_.pause))
    report_.event("change", *change);
}

// Over when every request has been written and nothing came for a while: a server that finds all
// versions equal answers nothing.
void Fleet::reconnect() {
  if (!end_all()) return;
  const Moment began = Clock::now();
  connect_all();
  wait(options_.patience, [&] {
    return board_.gauge.last_activity() > began &&
           Clock::now() > board_.gauge.last_activity() + quiet;
  });
  Change change = board_.gauge.finished(Clock::now(), options_.pause).value_or(Change{});
  change.began = began;
  change.ended = board_.gauge.last_activity();
  change.half = change.p99 = change.all = seconds(change.ended - began);
  change.proxies = board_.open;
  report_.event("reconnected", change);
}

// True when there are such.
bool Fleet::tell_lost() {
  std::size_t count = 0;
  Ended last;
  for (const Line& line : lines_) {
    if (line.connected()) continue;
    ++count;
    last = line.ended();
  }
  if (count > 0) report_.lost(count, last);
  return count > 0;
}

bool Fleet::end_all() {
  for (Line& line : lines_) line.cancel();
  const auto end = Clock::now() + farewell;
  while (std::ranges::any_of(lines_, &Line::connected) && Clock::now() < end)
    std::this_thread::sleep_for(glance);
  return std::ranges::none_of(lines_, &Line::connected);
}

}  // namespace mp::fleet
