// From what a request carries to who it is: access tokens to users, cluster keys to clusters.
// Remembers answers while the store hears every change, here and at other managers, and forgets
// them with the first that concerns users, sessions, keys or clusters. Thread-safe.
#pragma once

#include "access/policy.hpp"
#include "access/token.hpp"
#include "store/store.hpp"

#include <atomic>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace mp {

class Credentials {
 public:
  Credentials(Store& store, const Tokens& tokens, const Clock& clock);

  // The session of an access token, or the owner of an API key; nobody when it is wrong, expired,
  // signed out or revoked, or its user inactive.
  Caller by_token(std::string_view token);
  // The active cluster of a current key, or of a previous one that has not ended.
  Caller by_cluster_key(std::string_view key);
  // As above, and until when the key works; nullopt: no end. Asks the database each time: what is
  // decided by it, such as to keep a stream, is not asked again soon.
  Caller by_cluster_key(std::string_view key, std::optional<Time>& until);

  // Grows with every change that concerns callers; the same number: all are who they were.
  std::uint64_t epoch() const { return epoch_; }
  // A user's caller as of this transaction; nobody when his session or key has ended meanwhile.
  static Caller again(Reader& db, Caller caller);

 private:
  // A user, session, key or cluster changed: what was remembered no longer counts.
  void changed();
  // Whom a credential names, and until when that holds. No user: nobody.
  struct Remembered {
    Caller caller;
    std::optional<Time> until;
  };
  // Finds by a view, without a copy.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::optional<Remembered> recall(std::string_view credential, Time now);
  // Keeps what was found out since `epoch`, unless something changed meanwhile.
  void remember(std::string_view credential, Remembered found, std::uint64_t epoch);
  Remembered find_session(std::string_view token, Time now);
  Remembered find_api_key(std::string_view key, Time now);

  static constexpr std::size_t most_remembered = 10000;

  Store& store_;
  const Tokens& tokens_;
  const Clock& clock_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> epoch_{0};
  // By token or key.
  std::unordered_map<std::string, Remembered, Hash, std::equal_to<>> remembered_;
  Subscription stale_;
};

}  // namespace mp
