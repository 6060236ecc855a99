// Passwords: the rules they must meet, and their Argon2id hashes (RFC 9106, by libsodium). Used by
// sign-in and by everything that sets a password. Nothing here keeps or logs one.
#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace mp {

// Adds violations of `field`: 12 to 128 characters of UTF-8, not the user name in any case, none of
// the commonest passwords, no single character or keyboard run repeated.
void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations);

struct HashLimits {
  std::size_t at_once =
      0;  // hashings that run together; 0: one for each core but one, at least one
  std::size_t most_waiting =
      8;  // threads that wait for their turn; keep it below the size of their pool
};

// Hashing costs 19 MiB and some 30 ms: only so many at a time, so that a flood of sign-ins leaves
// cores and threads for everybody else. Thread-safe.
class HashGate {
 public:
  explicit HashGate(HashLimits limits = {});

  // The text form of an Argon2id hash. Throws Unavailable (Retry-After: 1) when too many wait
  // already, or when its turn does not come within 5 s.
  std::string hash(const Secret& password);
  // Whether it is the password of `hash`. An empty hash (no such user) takes the same time and is
  // false.
  bool verify(const std::string& hash, const Secret& password);
  // Whether the hash was made with other costs than today's.
  static bool needs_rehash(const std::string& hash);

 private:
  class Turn;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t free_;
  std::size_t waiting_ = 0;
  const std::size_t most_waiting_;
  const std::string nobody_;  // hash of a random password
};

}  // namespace mp
