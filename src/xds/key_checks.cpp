#include "xds/key_checks.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <map>
#include <utility>

namespace mp::xds {
namespace {

struct ByClusterAndKey {
  bool operator()(const KeyQuestion& left, const KeyQuestion& right) const {
    if (left.cluster_id != right.cluster_id) return left.cluster_id < right.cluster_id;
    return left.key.reveal() < right.key.reveal();
  }
};

}  // namespace

void KeyChecks::ask_soon(Holders holders) {
  if (holders.empty()) return;
  const auto job = [this, holders = std::move(holders)] { ask(holders); };
  if (!post_(job)) job();
}

void KeyChecks::ask(const Holders& holders) {
  std::map<KeyQuestion, Holders, ByClusterAndKey> questions;
  for (const auto& holder : holders) {
    if (auto question = holder->key_question()) questions[*std::move(question)].push_back(holder);
  }
  for (const auto& [question, same] : questions) ask_once(question, same);
}

void KeyChecks::ask_once(const KeyQuestion& question, const Holders& holders) {
  const std::uint64_t asked = changes_;
  try {
    const auto until = gate_.check(question.key.reveal(), question.cluster_id);
    for (const auto& holder : holders) holder->key_holds(until, asked);
  } catch (const Error& error) {
    if (error.code != Code::Authentication && error.code != Code::Permission)
      return ask_later(holders);
    for (const auto& holder : holders)
      holder->close(facts(error.code).grpc_status, words_of(error));
  } catch (const std::exception& fault) {
    log::warning("a cluster key was not checked again",
                 {{"cluster", std::to_string(question.cluster_id)}, {"fault", fault.what()}});
    ask_later(holders);
  }
}

void KeyChecks::ask_later(const Holders& holders) {
  const std::lock_guard lock{mutex_};
  if (unknown_.empty()) due_ = clock_.now() + key_check_pause;
  unknown_.insert(holders.begin(), holders.end());
}

void KeyChecks::tick() {
  Holders holders;
  {
    const std::lock_guard lock{mutex_};
    if (unknown_.empty() || asking_ || clock_.now() < due_) return;
    asking_ = true;
    holders.assign(unknown_.begin(), unknown_.end());
    unknown_.clear();
  }
  const auto done = [this] {
    const std::lock_guard lock{mutex_};
    asking_ = false;
  };
  const auto job = [this, holders, done] {
    ask(holders);
    done();
  };
  if (post_(job)) return;
  ask_later(holders);
  done();
}

}  // namespace mp::xds
