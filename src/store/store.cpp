#include "store/store.hpp"

#include "base/embedded.hpp"
#include "base/log.hpp"
#include "store/call_watch.hpp"
#include "store/file.hpp"
#include "store/listener.hpp"
#include "store/migrate.hpp"
#include "store/pool.hpp"
#include "store/writer_thread.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>

namespace mp {
namespace {

constexpr std::size_t most_readers = 8;
constexpr std::size_t most_tallies = 4;
// For a notice to come back; it usually takes a millisecond.
constexpr Milliseconds echo_patience{250};
constexpr std::size_t name_letters = 16;  // of a Store among those of other managers
const std::string fingerprint_key = "store_key_fingerprint";

// Functions to call. One that has been called or removed runs no more when `remove` returns.
template <class... Told>
class Callbacks {
 public:
  Subscription add(std::function<void(Told...)> callback) {
    const std::lock_guard guard(mutex_);
    const int number = ++last_;
    all_.emplace(number, std::move(callback));
    return Subscription([this, number] {
      const std::lock_guard guard(mutex_);
      all_.erase(number);
    });
  }

  void call(const Told&... told) {
    const std::lock_guard guard(mutex_);
    for (const auto& [number, callback] : all_) {
      try {
        callback(told...);
      } catch (const std::exception& fault) {
        log::error("a reader of changes failed", {{"what", fault.what()}});
      }
    }
  }

 private:
  std::mutex mutex_;
  int last_ = 0;
  std::map<int, std::function<void(Told...)>> all_;
};

// One line for whoever starts the program.
Error start_error(const Error& error) {
  std::string line = error.message;
  if (!error.log.empty()) line.append(": ").append(error.log);
  std::ranges::replace(line, '\n', ' ');
  while (line.ends_with(' ')) line.pop_back();
  return Error(error.code, std::move(line));
}

void prepare_directory(const std::string& data_dir) {
  try {
    create_private_directory(data_dir);
  } catch (const Error& error) {
    throw invalid("data_dir", error.message);
  }
}

// Of a database file, whose directory only the operator makes when it is not ours.
std::unique_ptr<FileLock> lock_beside(const std::string& file) {
  const auto directory = std::filesystem::absolute(file).parent_path();
  if (!std::filesystem::is_directory(directory))
    throw invalid("database.url", directory.string() + ": there is no such directory");
  return std::make_unique<FileLock>(file + ".lock");
}

}  // namespace

struct Store::Inside {
  Inside(StoreOptions given, const Clock& clock)
      : options(std::move(given)),
        url(prepare()),
        vault(options.data_dir),
        pool(url, vault, Access::Read, most_readers),
        tallies(url, vault, Access::Tally, most_tallies),
        queue(options.queue_limit) {
    open(clock);
  }

  DatabaseUrl prepare();
  void open(const Clock& clock);
  void open_vault(Connection& connection);
  void committed(const Notice& notice);
  void announce(std::int64_t newest);
  void look();

  const StoreOptions options;
  std::unique_ptr<FileLock> lock;  // before the database is touched
  const DatabaseUrl url;
  Vault vault;
  Pool pool;
  Pool tallies;
  std::atomic<std::int64_t> revision{0};
  std::atomic<std::int64_t> reads{0};
  const std::string self = random_text(name_letters);
  Callbacks<std::int64_t> change_callbacks;
  Callbacks<const Nouns&> stale_callbacks;
  WriteQueue queue;
  std::unique_ptr<WriterThread> writer;  // these two use the others
  std::unique_ptr<Listener> listener;    // of PostgreSQL
};

DatabaseUrl Store::Inside::prepare() {
  prepare_directory(options.data_dir);
  DatabaseUrl parsed = parse_database_url(options.url, options.data_dir);
  if (parsed.kind == DatabaseKind::Postgresql)
    parsed.watch = std::make_shared<CallWatch>();
  else
    lock = lock_beside(parsed.target);
  return parsed;
}

void Store::Inside::open(const Clock& clock) {
  auto connection = std::make_unique<Connection>(url, vault, Access::Write);
  try {
    migrate(*connection, migrations(), clock.now());
    connection->begin();
    open_vault(*connection);
    revision = Reader(*connection).revision();
    connection->commit();
  } catch (const Error& error) {
    throw start_error(error);
  }
  writer = std::make_unique<WriterThread>(
      std::move(connection), queue, clock, self,
      [this](const Notice& notice) { committed(notice); }, pool);
  if (url.kind == DatabaseKind::Sqlite) return;
  listener = std::make_unique<Listener>(
      url.target, self,
      Listener::Ears{.heard = [this](const Notice& notice) { committed(notice); },
                     .missed =
                         [this] {
                           stale_callbacks.call({});
                           look();
                         }});
}

// The database remembers which key its secrets are sealed with: another one must not start.
void Store::Inside::open_vault(Connection& connection) {
  const auto rows = connection.query("SELECT value FROM meta WHERE key = :key",
                                     {{"key", fingerprint_key}}, {Column::Text});
  vault.open(rows.empty() ? "" : std::get<std::string>(rows[0][0]));
  if (!rows.empty()) return;
  connection.execute("INSERT INTO meta (key, value) VALUES (:key, :value)",
                     {{"key", fingerprint_key}, {"value", vault.fingerprint()}});
}

void Store::Inside::committed(const Notice& notice) {
  if (!notice.stale.empty()) stale_callbacks.call(notice.stale);
  announce(notice.revision);
}

void Store::Inside::announce(std::int64_t newest) {
  std::int64_t known = revision;
  while (known < newest && !revision.compare_exchange_weak(known, newest)) {
  }
  if (known < newest) change_callbacks.call(newest);
}

// For changes of other managers that nobody told.
void Store::Inside::look() {
  const auto lease = pool.take();
  Connection& connection = lease.connection();
  try {
    const std::int64_t newest = Reader(connection).revision();
    connection.commit();
    if (newest > revision) stale_callbacks.call({});
    announce(newest);
  } catch (...) {
    connection.rollback();
    throw;
  }
}

Store::Store(StoreOptions options, const Clock& clock)
    : inside_(std::make_unique<Inside>(std::move(options), clock)) {}

Store::~Store() = default;

void Store::read(const std::function<void(Reader&)>& work) {
  ++inside_->reads;
  const auto lease = inside_->pool.take();
  Connection& connection = lease.connection();
  try {
    Reader db(connection);  // begins with its first statement
    work(db);
    lease.finish();
  } catch (...) {
    connection.rollback();
    throw;
  }
}

std::vector<Row> Store::tally(std::string_view sql, const Values& values,
                              const std::vector<Column>& columns) {
  if (inside_->url.kind == DatabaseKind::Sqlite) throw internal("a tally on SQLite");
  const auto lease = inside_->tallies.take();
  Connection& connection = lease.connection();
  for (const bool again : {true, false}) {
    try {
      auto rows = connection.query(sql, values, columns);
      connection.commit();
      return rows;
    } catch (const Error&) {
      const bool lost = connection.lost();
      connection.rollback();
      if (!lost || !again) throw;
    }
  }
  return {};
}

std::int64_t Store::write(const Actor& actor, const std::function<void(Writer&)>& work) {
  if (inside_->writer->is_current()) throw internal("a write within a write");
  Work item{.actor = actor, .run = work};
  inside_->queue.submit(item, inside_->options.write_deadline);
  if (item.failure) std::rethrow_exception(item.failure);
  if (inside_->listener && !item.stale.empty())
    inside_->listener->await(item.revision, echo_patience);
  return item.revision;
}

void Store::rehearse(const Actor& actor, const std::function<void(Writer&)>& work) {
  if (inside_->writer->is_current()) throw internal("a write within a write");
  Work item{.actor = actor, .run = work, .outcome = Outcome::Undone};
  inside_->queue.submit(item, inside_->options.write_deadline);
  if (item.failure) std::rethrow_exception(item.failure);
}

Subscription Store::on_change(std::function<void(std::int64_t)> callback) {
  return inside_->change_callbacks.add(std::move(callback));
}

Subscription Store::on_stale(std::function<void(const Nouns&)> callback) {
  return inside_->stale_callbacks.add(std::move(callback));
}

bool Store::is_current() const { return !inside_->listener || inside_->listener->is_current(); }

std::int64_t Store::revision() const { return inside_->revision; }

void Store::poll() {
  if (inside_->url.kind == DatabaseKind::Sqlite) return;  // one manager alone
  ++inside_->reads;
  inside_->look();
}

bool Store::healthy() {
  try {
    read([](Reader& db) { db.query("SELECT 1 FROM meta", {}, {Column::Integer}); });
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string_view Store::kind() const {
  return inside_->url.kind == DatabaseKind::Sqlite ? "sqlite" : "postgresql";
}

std::string Store::seal(std::string_view plain) const { return inside_->vault.seal(plain); }

std::string Store::unseal(std::string_view sealed) const { return inside_->vault.unseal(sealed); }

Store::Figures Store::figures() const {
  return {.commits = inside_->writer->commits(),
          .writes = inside_->writer->writes(),
          .reads = inside_->reads,
          .failures = inside_->writer->failures(),
          .queue = static_cast<std::int64_t>(inside_->queue.size())};
}

}  // namespace mp
