// Idempotency-Key: a POST that is sent again with the same key and body gets the first one's
// answer. The answer is kept in the transaction of the change, so neither is ever there without the
// other. Kept 24 hours, per caller and path. Sealed like every kept secret: answers may hold some,
// and the hash of a body would tell a password that is easy to guess.
#pragma once

#include "api/call.hpp"

#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace mp::api {

// Keys whose first request is still running in this process. With several managers the unique key
// of the table decides.
class RunningKeys {
 public:
  bool take(const std::string& key);  // false when it is taken
  void release(const std::string& key);

 private:
  std::mutex mutex_;
  std::set<std::string> keys_;
};

class Once {
 public:
  // Throws Validation for a key over 255 characters, Conflict with Retry-After while the same key
  // runs.
  Once(const Call& call, std::string_view key);
  ~Once();
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  // The kept answer; Conflict when the key was used with another body.
  std::optional<Reply> find(Reader& db) const;
  void keep(Writer& db, const Reply& reply) const;

 private:
  const Call& call_;
  std::string caller_;
  std::string path_;
  std::string key_;
  std::string body_hash_;
};

// Forgets answers older than 24 hours; from the background loop.
void forget_old_answers(Store& store, const Clock& clock);

}  // namespace mp::api
