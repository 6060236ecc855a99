#include "access/failure_counts.hpp"

#include "access/keys.hpp"
#include "base/outside.hpp"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <unordered_map>

namespace mp {
namespace {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

bool same(const FailureCount& one, const FailureCount& other) {
  return one.failures == other.failures && one.last == other.last;
}

class CountsInMemory final : public FailureCounts {
 public:
  explicit CountsInMemory(CountLimits limits)
      : FailureCounts(Secret(random_text(crypto_shorthash_KEYBYTES))), limits_(limits) {}

  Found find(const Keys& keys, Time now) override {
    const std::lock_guard lock(mutex_);
    Found found;
    for (std::size_t kind = 0; kind < failure_kinds; ++kind) {
      if (const Entry* entry = find(kind, keys[kind], now)) found[kind] = entry->count;
    }
    return found;
  }

  int count(std::size_t kind, Key key, Time now) override {
    const std::lock_guard lock(mutex_);
    return add(kind, key, now);
  }

  bool claim(std::size_t kind, Key key, const FailureCount& seen, Time now) override {
    const std::lock_guard lock(mutex_);
    const Entry* entry = find(kind, key, now);
    if (!entry || !same(entry->count, seen)) return false;
    add(kind, key, now);
    return true;
  }

  void withdraw(std::size_t kind, Key key, const FailureCount& before, Time claimed) override {
    const std::lock_guard lock(mutex_);
    Entry* entry = find(kind, key, claimed);
    const FailureCount made{.failures = before.failures + 1, .last = claimed};
    if (entry && same(entry->count, made)) entry->count = before;
  }

  void forget(std::size_t kind, Key key) override {
    const std::lock_guard lock(mutex_);
    erase(kind, key);
  }

  void tidy(Time) override {}  // the next failure of its kind finds room

  std::int64_t kept() override {
    const std::lock_guard lock(mutex_);
    std::size_t sum = 0;
    for (const Table& table : tables_) sum += table.entries.size();
    return static_cast<std::int64_t>(sum);
  }

 private:
  struct Entry {
    Key key = 0;
    FailureCount count;
  };
  // The entries of one kind, the most recent failure first.
  struct Table {
    std::list<Entry> entries;
    std::unordered_map<Key, std::list<Entry>::iterator> by_key;
  };

  Entry* find(std::size_t kind, Key key, Time now) {
    const auto found = tables_[kind].by_key.find(key);
    if (found == tables_[kind].by_key.end()) return nullptr;
    if (now < found->second->count.last + limits_.forgotten_after) return &*found->second;
    erase(kind, key);
    return nullptr;
  }

  int add(std::size_t kind, Key key, Time now) {
    Table& table = tables_[kind];
    if (find(kind, key, now)) {
      table.entries.splice(table.entries.begin(), table.entries, table.by_key.at(key));
    } else {
      if (table.entries.size() >= limits_.most_kept) erase(kind, table.entries.back().key);
      table.entries.push_front({.key = key, .count = {}});
      table.by_key[key] = table.entries.begin();
    }
    FailureCount& count = table.entries.front().count;
    count.last = now;
    return ++count.failures;
  }

  void erase(std::size_t kind, Key key) {
    Table& table = tables_[kind];
    const auto found = table.by_key.find(key);
    if (found == table.by_key.end()) return;
    table.entries.erase(found->second);
    table.by_key.erase(found);
  }

  const CountLimits limits_;
  std::mutex mutex_;
  std::array<Table, failure_kinds> tables_;
};

// Each call is one statement, which the database orders among those of all managers.
class SharedCounts final : public FailureCounts {
 public:
  SharedCounts(Store& store, CountLimits limits)
      : FailureCounts(load_or_create_key(store, "failure_counts")),
        store_(store),
        limits_(limits) {}

  Found find(const Keys& keys, Time now) override {
    const auto rows = store_.tally(
        "SELECT kind, failures, last_at FROM failure_counts WHERE last_at > :forgotten AND "
        "((kind = 0 AND key = :first) OR (kind = 1 AND key = :second) OR "
        "(kind = 2 AND key = :third))",
        {{"forgotten", forgotten(now)},
         {"first", cell(keys[0])},
         {"second", cell(keys[1])},
         {"third", cell(keys[2])}},
        {Column::Integer, Column::Integer, Column::Integer});
    Found found;
    for (const Row& row : rows) {
      found.at(static_cast<std::size_t>(number(row, 0))) = {
          .failures = static_cast<int>(number(row, 1)), .last = from_milliseconds(number(row, 2))};
    }
    return found;
  }

  int count(std::size_t kind, Key key, Time now) override {
    const auto rows = store_.tally(
        "INSERT INTO failure_counts (kind, key, failures, last_at) VALUES (:kind, :key, 1, :now) "
        "ON CONFLICT (kind, key) DO UPDATE SET failures = CASE WHEN failure_counts.last_at <= "
        ":forgotten THEN 1 ELSE failure_counts.failures + 1 END, last_at = :now "
        "RETURNING failures",
        {{"kind", cell(kind)},
         {"key", cell(key)},
         {"now", to_milliseconds(now)},
         {"forgotten", forgotten(now)}},
        {Column::Integer});
    return static_cast<int>(number(rows.at(0), 0));
  }

  bool claim(std::size_t kind, Key key, const FailureCount& seen, Time now) override {
    return replace(kind, key, seen, {.failures = seen.failures + 1, .last = now});
  }

  void withdraw(std::size_t kind, Key key, const FailureCount& before, Time claimed) override {
    replace(kind, key, {.failures = before.failures + 1, .last = claimed}, before);
  }

  void forget(std::size_t kind, Key key) override {
    store_.tally("DELETE FROM failure_counts WHERE kind = :kind AND key = :key",
                 {{"kind", cell(kind)}, {"key", cell(key)}}, {});
  }

  void tidy(Time now) override {
    for (std::size_t kind = 0; kind < failure_kinds; ++kind) {
      store_.tally(
          "DELETE FROM failure_counts WHERE kind = :kind AND last_at <= COALESCE((SELECT last_at "
          "FROM failure_counts WHERE kind = :kind AND last_at > :forgotten "
          "ORDER BY last_at DESC LIMIT 1 OFFSET :most), :forgotten)",
          {{"kind", cell(kind)},
           {"forgotten", forgotten(now)},
           {"most", static_cast<std::int64_t>(limits_.most_kept)}},
          {});
    }
  }

  std::int64_t kept() override {
    const auto rows = store_.tally("SELECT COUNT(*) FROM failure_counts", {}, {Column::Integer});
    return number(rows.at(0), 0);
  }

 private:
  static std::int64_t cell(std::uint64_t value) { return std::bit_cast<std::int64_t>(value); }
  static std::int64_t number(const Row& row, std::size_t at) {
    return std::get<std::int64_t>(row.at(at));
  }
  std::int64_t forgotten(Time now) const { return to_milliseconds(now - limits_.forgotten_after); }

  bool replace(std::size_t kind, Key key, const FailureCount& from, const FailureCount& to) {
    const auto rows = store_.tally(
        "UPDATE failure_counts SET failures = :failures, last_at = :last WHERE kind = :kind AND "
        "key = :key AND failures = :before AND last_at = :seen RETURNING failures",
        {{"kind", cell(kind)},
         {"key", cell(key)},
         {"failures", static_cast<std::int64_t>(to.failures)},
         {"last", to_milliseconds(to.last)},
         {"before", static_cast<std::int64_t>(from.failures)},
         {"seen", to_milliseconds(from.last)}},
        {Column::Integer});
    return !rows.empty();
  }

  Store& store_;
  const CountLimits limits_;
};

}  // namespace

FailureCounts::FailureCounts(const Secret& key) : key_(key) {}

FailureCounts::Key FailureCounts::key_of(std::string_view kind, std::string_view text) const {
  std::string whole(kind);
  whole.append(1, '\0').append(text);
  std::array<unsigned char, 8> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                   reinterpret_cast<const unsigned char*>(key_.reveal().data()));
  return std::bit_cast<Key>(hash);
}

std::unique_ptr<FailureCounts> counts_in_memory(CountLimits limits) {
  return std::make_unique<CountsInMemory>(limits);
}

std::unique_ptr<FailureCounts> counts_of(Store& store, CountLimits limits) {
  if (store.kind() == "postgresql") return std::make_unique<SharedCounts>(store, limits);
  return counts_in_memory(limits);
}

}  // namespace mp
