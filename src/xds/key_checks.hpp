// Whether streams may stay: their cluster keys are asked about again when the cluster has changed,
// and after a pause when the database could not tell. One question for all streams with one key,
// all of them in one job, so that a database that hangs takes one thread. Used by switchboard and
// log_stream, one each; safe from any thread.
#pragma once

#include "base/outside.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "xds/gate.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mp::xds {

inline constexpr Milliseconds key_check_pause{5'000};

// With which key a stream was let in to which cluster.
struct KeyQuestion {
  std::int64_t cluster_id = 0;
  Secret key;
};

class KeyHolder {
 public:
  virtual ~KeyHolder() = default;
  virtual std::optional<KeyQuestion> key_question() = 0;  // none when it is not open
  // `asked`: KeyChecks::changes() when it was asked. The answer to an older question does not
  // replace the one to a later question.
  virtual void key_holds(std::optional<Time> until, std::uint64_t asked) = 0;
  virtual void close(int grpc_status, const std::string& message) = 0;
};

class KeyChecks {
 public:
  using Holders = std::vector<std::shared_ptr<KeyHolder>>;
  using Post = std::function<bool(std::function<void()>)>;

  // What is posted must run before this ends.
  KeyChecks(Gate& gate, const Clock& clock, Post post)
      : gate_(gate), clock_(clock), post_(std::move(post)) {}

  // How often clusters have changed. Who is let in meanwhile must be asked about again.
  std::uint64_t changes() const { return changes_; }
  // To be called before ask_soon(), and before who is concerned is looked for.
  void count_change() { ++changes_; }
  void ask_soon(Holders holders);
  void ask(const Holders& holders);  // may block
  void tick();                       // posts what was to be asked again

 private:
  void ask_once(const KeyQuestion& question, const Holders& holders);
  void ask_later(const Holders& holders);

  Gate& gate_;
  const Clock& clock_;
  const Post post_;
  std::atomic<std::uint64_t> changes_{0};
  std::mutex mutex_;
  std::set<std::shared_ptr<KeyHolder>> unknown_;
  Time due_;
  bool asking_ = false;
};

}  // namespace mp::xds
