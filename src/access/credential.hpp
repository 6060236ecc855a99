// From what a request carries to who it is: access tokens to users, cluster keys to clusters.
// Remembers answers on SQLite, where this process makes every change; `changed` forgets them.
// Thread-safe.
#pragma once

#include "access/policy.hpp"
#include "access/token.hpp"
#include "store/store.hpp"

#include <mutex>
#include <string_view>
#include <unordered_map>

namespace mp {

class Credentials {
 public:
  Credentials(Store& store, const Tokens& tokens, const Clock& clock);

  // The session of an access token; nobody when it is wrong, expired, signed out, or its user
  // inactive.
  Caller by_token(std::string_view token);
  // The active cluster of a current key, or of a previous one that has not ended.
  Caller by_cluster_key(std::string_view key);
  // As above, and until when the key works; nullopt: no end.
  Caller by_cluster_key(std::string_view key, std::optional<Time>& until);

  // A user, session or cluster changed: what was remembered no longer counts.
  void changed();

 private:
  struct Remembered {
    std::shared_ptr<const User> user;
    std::string session_id;
    Time until;
  };
  // Finds by a view, without a copy.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::optional<Caller> recall(std::string_view token, Time now);
  void remember(std::string_view token, const Caller& caller, Time until, std::uint64_t epoch);

  static constexpr std::size_t most_remembered = 10000;

  Store& store_;
  const Tokens& tokens_;
  const Clock& clock_;
  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::unordered_map<std::string, Remembered, Hash, std::equal_to<>> remembered_;  // by token
};

}  // namespace mp
