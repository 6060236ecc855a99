#include "store/listener.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace mp {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr auto word_interval = 250ms;
constexpr auto current_for = 1s;  // from the moment that a word was sent which came back
constexpr auto patience = 5s;     // for an answer, before the connection is given up
constexpr std::chrono::milliseconds first_pause = 100ms, longest_pause = 5s;

struct Stopped {};

int make_wake() {
  const int wake = ::eventfd(0, EFD_CLOEXEC);
  if (wake < 0) throw internal("no eventfd for the listener");
  return wake;
}

}  // namespace

// The connection. Its waits end with the deadline, with Stopped, or with what the server says.
class Listener::Line {
 public:
  Line(const std::string& target, int wake)
      : wake_(wake), connection_(PQconnectStart(target.c_str()), PQfinish) {
    const auto deadline = Steady::now() + patience;
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);  // not to stderr
    if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) throw lost();
    auto wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK) {
      if (wanted == PGRES_POLLING_FAILED) throw lost();
      wait(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
      if (Steady::now() >= deadline) throw lost();
      wanted = PQconnectPoll(connection_.get());
    }
  }

  // Runs one statement without result.
  void execute(const std::string& sql) {
    const auto deadline = Steady::now() + patience;
    if (!PQsendQuery(connection_.get(), sql.c_str())) throw lost();
    while (PQisBusy(connection_.get())) {
      wait(POLLIN, deadline);
      if (Steady::now() >= deadline || !PQconsumeInput(connection_.get())) throw lost();
    }
    bool good = true;
    while (PGresult* result = PQgetResult(connection_.get())) {
      good = good && PQresultStatus(result) == PGRES_COMMAND_OK;
      PQclear(result);
    }
    if (!good) throw lost();
  }

  // The payloads that have come until `deadline`; as soon as there are some.
  std::vector<std::string> receive(Steady::time_point deadline) {
    std::vector<std::string> payloads;
    for (;;) {
      if (!PQconsumeInput(connection_.get())) throw lost();
      while (PGnotify* notify = PQnotifies(connection_.get())) {
        payloads.emplace_back(notify->extra);
        PQfreemem(notify);
      }
      if (!payloads.empty() || Steady::now() >= deadline) return payloads;
      wait(POLLIN, deadline);
    }
  }

 private:
  void wait(short events, Steady::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    std::array<pollfd, 2> sockets{pollfd{PQsocket(connection_.get()), events, 0},
                                  pollfd{wake_, POLLIN, 0}};
    ::poll(sockets.data(), sockets.size(),
           static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (sockets[1].revents != 0) throw Stopped{};
  }

  Error lost() const {
    const std::string why = connection_ ? one_line(PQerrorMessage(connection_.get())) : "no memory";
    return unavailable("", why.empty() ? "no answer in time" : why);
  }

  const int wake_;
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

Listener::Listener(std::string target, std::string self, Ears ears)
    : target_(std::move(target)),
      self_(std::move(self)),
      ears_(std::move(ears)),
      wake_(make_wake()),
      thread_([this] { run(); }) {}

Listener::~Listener() {
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
}

bool Listener::is_current() const {
  return Steady::now().time_since_epoch().count() < current_until_.load(std::memory_order_acquire);
}

bool Listener::await(std::int64_t revision, std::chrono::milliseconds patience) const {
  if (!is_current()) return false;
  std::unique_lock lock(mutex_);
  return came_back_.wait_for(lock, patience, [&] { return own_revision_ >= revision; });
}

void Listener::tell(const Notice& notice) {
  if (notice.sender != self_) return ears_.heard(notice);
  {
    const std::lock_guard lock(mutex_);
    own_revision_ = std::max(own_revision_, notice.revision);
  }
  came_back_.notify_all();
}

// False when the end has come meanwhile.
bool Listener::rest(std::chrono::milliseconds time) const {
  pollfd stop{wake_, POLLIN, 0};
  return ::poll(&stop, 1, static_cast<int>(time.count())) == 0;
}

void Listener::run() {
  auto pause = first_pause;
  do {
    try {
      Line line(target_, wake_);
      line.execute("LISTEN " + std::string(notice_channel));
      pause = first_pause;
      ears_.missed();
      listen(line);
    } catch (const Stopped&) {
      return;
    } catch (const std::exception& fault) {
      current_until_ = 0;
      log::warning("other managers are not heard", {{"why", fault.what()}});
    }
    pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
  } while (rest(pause));
}

void Listener::listen(Line& line) {
  std::uint64_t count = 0;
  for (;;) {
    const std::string word = self_ + " word-" + std::to_string(++count);
    const auto sent = Steady::now();
    line.execute("NOTIFY " + std::string(notice_channel) + ", '" + word + "'");
    bool came_back = false;
    while (Steady::now() < sent + word_interval || !came_back) {
      if (Steady::now() >= sent + patience) throw unavailable("", "its own word did not come back");
      for (const std::string& payload :
           line.receive(sent + (came_back ? word_interval : patience))) {
        came_back = came_back || payload == word;
        const auto notice = parse_notice(payload);
        if (notice) tell(*notice);
      }
      if (came_back)
        current_until_.store((sent + current_for).time_since_epoch().count(),
                             std::memory_order_release);
    }
  }
}

}  // namespace mp
