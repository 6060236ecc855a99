#include "syslog/destination.hpp"

#include "base/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace mp::syslog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t bytes_at_once = 64u << 10;
constexpr std::size_t records_at_once = 1000;
constexpr Milliseconds probe{200};  // for the answer that nobody listens
constexpr std::chrono::hours forever{24};
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

// May block for as long as the system's resolver likes.
std::vector<Place> look_up(const Endpoint& endpoint, std::string& fault) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  error_code error;
  std::vector<Place> places;
  for (const auto& entry : resolver.resolve(endpoint.host, endpoint.port, error))
    places.push_back({entry.endpoint().address(), entry.endpoint().port()});
  if (error) fault = error.message();
  return places;
}

}  // namespace

Destination::Destination(const Surroundings& surroundings)
    : surroundings_(surroundings),
      backlog_(surroundings.options.buffer),
      alarm_(surroundings.context),
      change_(surroundings.context, asio::steady_timer::time_point::max()) {}

void Destination::start() {
  asio::co_spawn(
      surroundings_.context, [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void Destination::direct(const Direction& direction) {
  {
    const std::lock_guard lock(mutex_);
    standing_.cluster_name = direction.cluster_name;
    if (standing_.endpoint == direction.endpoint) return;
    standing_.endpoint = direction.endpoint;
    standing_.fault.clear();
    target_ = {read_endpoint(direction.endpoint), target_.edition + 1};
  }
  asio::post(surroundings_.context, [self = shared_from_this()] {
    if (self->link_edition_ == self->target().edition) return;  // it has noticed by itself
    self->pause_ = Milliseconds{0};
    self->alarm_.cancel();
    self->change_.cancel();
  });
}

void Destination::put(const std::vector<Record>& records) {
  const Target present = target();
  if (!present.endpoint) return;
  const bool datagrams = present.endpoint->transport == Endpoint::Transport::Udp;
  std::vector<std::string> lines;
  lines.reserve(records.size());
  for (const Record& record : records)
    lines.push_back(render(record, datagrams ? most_in_datagram : most_in_stream));
  const std::size_t given = lines.size();
  const std::size_t taken = backlog_.put(std::move(lines));
  if (taken < given) {
    const std::lock_guard lock(mutex_);
    standing_.dropped_full += given - taken;
  }
  asio::post(surroundings_.context, [self = shared_from_this()] {
    if (self->idle_) self->alarm_.cancel();
  });
}

Standing Destination::standing() const {
  const std::lock_guard lock(mutex_);
  Standing standing = standing_;
  standing.waiting = backlog_.bytes();
  return standing;
}

bool Destination::quiet() const {
  const std::lock_guard lock(mutex_);
  return !standing_.fault.empty() || (!busy_ && backlog_.empty());
}

void Destination::close() {
  asio::post(surroundings_.context, [self = shared_from_this()] {
    self->closed_ = true;
    self->alarm_.cancel();
    self->change_.cancel();
  });
}

Destination::Target Destination::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

// One thing at a time: whatever happens meanwhile is seen in the next turn.
asio::awaitable<void> Destination::run() {
  while (!closed_) {
    const Target present = target();
    if (!drop_stale_link()) {
      co_await fail("");
      continue;
    }
    if (!present.endpoint) abandon();
    if (!present.endpoint || backlog_.empty()) {
      co_await idle();
      continue;
    }
    if (!link_) {
      link_edition_ = present.edition;
      std::string fault = co_await open(*present.endpoint);
      if (!fault.empty()) {
        co_await fail(std::move(fault));
        continue;
      }
    }
    co_await send();
  }
  if (link_) link_->close();
}

// Until something is put, another endpoint is set, or the relay closes.
asio::awaitable<void> Destination::idle() {
  {
    const std::lock_guard lock(mutex_);
    busy_ = false;
  }
  surroundings_.settled();
  idle_ = true;
  co_await rest(forever);
  idle_ = false;
  const std::lock_guard lock(mutex_);
  busy_ = true;
}

// Another endpoint ends it.
asio::awaitable<void> Destination::rest(Milliseconds time) {
  alarm_.expires_after(time);
  co_await alarm_.async_wait(quietly);
}

asio::awaitable<void> Destination::fail(std::string fault) {
  if (link_) {
    if (fault.empty()) fault = link_->fault();
    link_->close();
    link_ = nullptr;
  }
  if (!note_fault(fault)) co_return;
  const RelayOptions& options = surroundings_.options;
  pause_ = std::clamp(pause_ * 2, options.first_pause, options.longest_pause);
  surroundings_.settled();
  if (link_edition_ == target().edition && !closed_) co_await rest(pause_);
}

// A link to a former endpoint is closed, and so is one whose other side has gone; false when that
// is a fault: datagrams were refused.
bool Destination::drop_stale_link() {
  if (!link_) return true;
  const bool former = link_edition_ != target().edition;
  if (!former && link_->fault().empty()) return true;
  const auto endpoint = target().endpoint;
  const bool refused = !former && endpoint && endpoint->transport == Endpoint::Transport::Udp;
  if (refused) {
    const std::lock_guard lock(mutex_);
    ++standing_.dropped_refused;
    return false;
  }
  link_->close();
  link_ = nullptr;
  return true;
}

Destination::Work Destination::open(const Endpoint& endpoint) {
  std::string fault = co_await resolve(endpoint);
  if (!fault.empty()) co_return fault;
  // Each address of the name in turn; the one that worked last comes first.
  for (std::size_t tried = 0; tried < places_.size(); ++tried) {
    link_ = make_link(surroundings_.context, surroundings_.tls, endpoint);
    proved_ = false;
    fault = co_await within(link_->open(places_[next_place_ % places_.size()]));
    if (fault.empty()) co_return "";
    link_->close();
    link_ = nullptr;
    ++next_place_;
  }
  co_return fault;
}

Destination::Work Destination::resolve(const Endpoint& endpoint) {
  struct Answer {
    std::vector<Place> places;
    std::string fault;
  };
  const auto answer = std::make_shared<Answer>();
  const auto job = [self = weak_from_this(), &context = surroundings_.context, endpoint, answer] {
    Answer found;
    found.places = look_up(endpoint, found.fault);
    asio::post(context, [self, answer, found = std::move(found)] {
      *answer = found;
      if (const auto alive = self.lock()) alive->alarm_.cancel();
    });
  };
  error_code no_address;
  const auto literal = asio::ip::make_address(endpoint.host, no_address);
  if (!no_address) {
    places_ = {{literal, static_cast<unsigned short>(std::stoul(endpoint.port))}};
    co_return "";
  }
  if (!surroundings_.resolvers.post(job)) co_return "too many names are looked up";
  co_await rest(surroundings_.options.patience);
  if (!answer->fault.empty()) co_return answer->fault;
  if (answer->places.empty()) co_return "the name " + endpoint.host + " is not resolved in time";
  places_ = answer->places;
  co_return "";
}

// The work's own fault, or that it took too long or another endpoint was set.
Destination::Work Destination::within(Work work) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer limit(surroundings_.context, surroundings_.options.patience);
  auto first =
      co_await (std::move(work) || limit.async_wait(quietly) || change_.async_wait(quietly));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return first.index() == 1 ? "no answer in time" : "another endpoint was set";
}

// What was not sent goes back to the front. A connection that breaks may have taken some of it:
// then the server has these twice. Of datagrams the first one shows whether somebody listens.
asio::awaitable<void> Destination::send() {
  const auto endpoint = target().endpoint;
  const bool datagrams = endpoint && endpoint->transport == Endpoint::Transport::Udp;
  const bool first = datagrams && !proved_;
  auto records = backlog_.take(bytes_at_once, first ? 1 : records_at_once);
  const std::string fault = co_await within(link_->send(records));
  if (!fault.empty()) {
    backlog_.give_back(std::move(records));
    co_await fail(fault);
    co_return;
  }
  if (first) co_await rest(probe);
  if (first && !link_->fault().empty()) co_return;
  proved_ = true;
  {
    const std::lock_guard lock(mutex_);
    standing_.sent += records.size();
  }
  note_reachable();
}

void Destination::note_reachable() {
  pause_ = Milliseconds{0};
  const std::lock_guard lock(mutex_);
  if (standing_.fault.empty()) return;
  standing_.fault.clear();
  log::info("syslog server reached again",
            {{"cluster", standing_.cluster_name}, {"endpoint", standing_.endpoint}});
}

// False when it is about an endpoint that is another one by now.
bool Destination::note_fault(const std::string& fault) {
  const std::lock_guard lock(mutex_);
  if (link_edition_ != target_.edition) return false;
  if (standing_.fault.empty()) {
    log::warning(
        "syslog server not reached",
        {{"cluster", standing_.cluster_name}, {"endpoint", standing_.endpoint}, {"fault", fault}});
  }
  standing_.fault = fault;
  return true;
}

void Destination::abandon() {
  const std::size_t gone = backlog_.clear();
  const std::lock_guard lock(mutex_);
  standing_.dropped_off += gone;
}

}  // namespace mp::syslog
