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

void Pool::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  freed_.notify_one();
}

}  // namespace mp
