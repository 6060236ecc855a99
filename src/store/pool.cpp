#include "store/pool.hpp"

namespace mp {
namespace {

constexpr std::chrono::seconds longest_wait{5};

}  // namespace

Pool::Lease Pool::take() {
  std::unique_lock lock(mutex_);
  const bool free =
      freed_.wait_for(lock, longest_wait, [&] { return !idle_.empty() || made_ < most_; });
  if (!free) throw unavailable("The database is overloaded", "no free connection");
  if (idle_.empty()) {
    auto made = std::make_unique<Connection>(url_, vault_, access_);
    ++made_;
    return {*this, std::move(made)};
  }
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return {*this, std::move(connection)};
}

bool Pool::may_keep(std::uint64_t age) const {
  return url_.kind == DatabaseKind::Sqlite && age % 2 == 0 && age == age_;
}

void Pool::Lease::finish() const {
  if (!pool_.may_keep(age_)) connection_->commit();
}

// Under the lock, so that before_commit() finds every view that was kept.
void Pool::give_back(std::unique_ptr<Connection> connection, std::uint64_t age) {
  const std::lock_guard lock(mutex_);
  if (connection->in_transaction() && !may_keep(age)) connection->rollback();
  idle_.push_back(std::move(connection));
  freed_.notify_one();
}

void Pool::before_commit() {
  ++age_;
  const std::lock_guard lock(mutex_);
  for (const auto& connection : idle_) {
    if (connection->in_transaction()) connection->rollback();
  }
}

}  // namespace mp
