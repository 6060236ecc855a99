// Passwords: the rules they must meet, and their Argon2id hashes (RFC 9106). Used by
// sign-in and by everything that sets a password. Nothing here keeps or logs one.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mp {

// Adds violations of `field`: 12 to 128 characters of UTF-8, not the user name in any case, none of
// the commonest passwords, no single character or keyboard run repeated.
void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations);

// The text form of a hash of today's costs that no password is known for. Costs no hashing.
std::string unmet_hash();

struct HashLimits {
  std::size_t at_once =
      0;  // hashings that run together; 0: one for each core but one, at least one
  std::size_t most_waiting =
      8;  // threads that wait for their turn; keep it below the size of their pool
};

// Hashing costs 19 MiB and some 30 ms. It runs on threads of its own, of low priority and only so
// many, so that a flood of sign-ins leaves cores and threads for everybody else. Thread-safe.
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
  struct Job {
    std::function<void()> work;
    std::exception_ptr failure{};
    enum class State { Waits, Runs, Done } state = State::Waits;
  };
  void run(std::function<void()> work);
  void serve();

  std::mutex mutex_;
  std::condition_variable wake_;      // a job waits, or the end
  std::condition_variable progress_;  // a job began or is done
  std::deque<Job*> waiting_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  const std::size_t most_waiting_;
  const std::string nobody_;  // what takes as long to check as any hash, and which nothing meets
  std::vector<std::thread> threads_;
};

}  // namespace mp
