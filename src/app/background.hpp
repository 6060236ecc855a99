// One thread for what is due from time to time: forgetting, polling, keeping proxies seen. Each
// task runs by itself; one that throws is logged and tried again at its next turn.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace mp {

struct Task {
  std::string name;
  std::chrono::milliseconds interval;
  std::function<void()> run;
  // Until its first turn; the interval unless set.
  std::optional<std::chrono::milliseconds> first = std::nullopt;
};

class Background {
 public:
  explicit Background(std::vector<Task> tasks);
  ~Background();  // waits for the task that runs
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  void loop();

  std::vector<Task> tasks_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mp
