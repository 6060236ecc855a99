// Argon2id hashes of passwords (RFC 9106, by libsodium). Hashing costs 19 MiB and some 30 ms, so it
// runs on threads of its own, only so many, which take nothing but what others leave of the cores:
// a flood of sign-ins leaves cores and threads to everybody else. Nothing here keeps or logs a
// password. Thread-safe.
#pragma once

#include "base/secret.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mp {

struct HashLimits {
  std::size_t at_once =
      0;  // hashings that run together; 0: one for each core but one, at least one
  std::size_t most_waiting =
      8;  // threads that wait for their turn; keep it below the size of their pool
  // Where others leave nothing of the cores for so long, a thread with a small share of its own
  // does the work.
  std::chrono::milliseconds patience{100};
};

class HashGate {
 public:
  explicit HashGate(HashLimits limits = {});
  ~HashGate();  // nobody may wait any more
  HashGate(const HashGate&) = delete;
  HashGate& operator=(const HashGate&) = delete;

  // The text form of an Argon2id hash. Throws Unavailable (Retry-After: 1) when too many wait
  // already, or when its turn does not come within 5 s.
  std::string hash(const Secret& password);
  // Whether it is the password of `hash`. An empty hash (no such user) takes the same time and is
  // false.
  bool verify(const std::string& hash, const Secret& password);
  // Whether the hash was made with other costs than today's.
  static bool needs_rehash(const std::string& hash);

 private:
  // May be done twice, by a thread that does not come forward and by the one that helps out; who is
  // first counts. It holds all that it needs.
  struct Job {
    std::function<std::string()> work;
    std::string result{};
    std::exception_ptr failure{};
    enum class State { Waits, Runs, Done } state = State::Waits;
    std::chrono::steady_clock::time_point begun{};
    bool is_helped = false;
  };
  using Turn = std::unique_lock<std::mutex>;
  std::string run(std::function<std::string()> work);
  void serve();
  void help_out();
  std::shared_ptr<Job> take();
  std::shared_ptr<Job> stuck(std::chrono::steady_clock::time_point now);
  void carry_out(Turn& turn, Job& job);
  bool is_late(const Job& job, std::chrono::steady_clock::time_point now) const;

  std::mutex mutex_;
  std::condition_variable wake_;      // a job waits, or the end
  std::condition_variable begun_;     // a job runs, or the end
  std::condition_variable progress_;  // a job began or is done
  std::deque<std::shared_ptr<Job>> waiting_;
  std::vector<std::shared_ptr<Job>> running_;  // on the threads that serve
  bool stopping_ = false;
  const HashLimits limits_;
  const std::string nobody_;  // hash of a random password
  std::vector<std::thread> threads_;
  std::thread helper_;
};

}  // namespace mp
