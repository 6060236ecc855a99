#include "syslog/backlog.hpp"

#include <iterator>
#include <utility>

namespace mp::syslog {

std::size_t Backlog::put(std::vector<std::string> records) {
  const std::lock_guard lock(mutex_);
  std::size_t taken = 0;
  for (std::string& record : records) {
    if (bytes_ + record.size() > most_) break;
    bytes_ += record.size();
    records_.push_back(std::move(record));
    ++taken;
  }
  return taken;
}

std::vector<std::string> Backlog::take(std::size_t bytes, std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken;
  std::size_t size = 0;
  while (!records_.empty() && taken.size() < count) {
    const std::size_t next = records_.front().size();
    if (!taken.empty() && size + next > bytes) break;
    size += next;
    taken.push_back(std::move(records_.front()));
    records_.pop_front();
  }
  bytes_ -= size;
  return taken;
}

void Backlog::give_back(std::vector<std::string> records) {
  const std::lock_guard lock(mutex_);
  for (const std::string& record : records) bytes_ += record.size();
  records_.insert(records_.begin(), std::make_move_iterator(records.begin()),
                  std::make_move_iterator(records.end()));
}

std::size_t Backlog::clear() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  return std::exchange(records_, {}).size();
}

std::size_t Backlog::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace mp::syslog
