#include "xds/jobs.hpp"

#include "base/time.hpp"
#include "base/workers.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t threads = 4;
constexpr std::size_t most_waiting = 50'000;
constexpr Milliseconds pace{100};

class Threads final : public Jobs {
 public:
  explicit Threads(std::function<void()> tick)
      : tick_(std::move(tick)), workers_(threads, most_waiting), timer_([this] { run_timer(); }) {}
  ~Threads() override { stop(); }

  bool post(std::function<void()> job) override { return workers_.post(std::move(job)); }

  void stop() override {
    workers_.stop();
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    if (timer_.joinable()) timer_.join();
  }

 private:
  void run_timer() {
    for (;;) {
      {
        std::unique_lock lock{mutex_};
        if (wake_.wait_for(lock, pace, [this] { return stopping_; })) return;
      }
      tick_();
    }
  }

  const std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Workers workers_;
  std::thread timer_;
};

}  // namespace

std::unique_ptr<Jobs> make_threads(std::function<void()> tick) {
  return std::make_unique<Threads>(std::move(tick));
}

}  // namespace mp::xds
