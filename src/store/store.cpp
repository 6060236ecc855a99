#include "store/store.hpp"

#include "base/embedded.hpp"
#include "base/log.hpp"
#include "store/file.hpp"
#include "store/migrate.hpp"
#include "store/pool.hpp"
#include "store/writer_thread.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace mp {
namespace {

const std::string fingerprint_key = "store_key_fingerprint";

// One line for whoever starts the program.
Error start_error(const Error& error) {
  std::string line = error.message;
  if (!error.log.empty()) line.append(": ").append(error.log);
  std::ranges::replace(line, '\n', ' ');
  while (line.ends_with(' ')) line.pop_back();
  return Error(error.code, std::move(line));
}

}  // namespace

struct Store::Inside {
  Inside(StoreOptions given, const Clock& clock)
      : options(std::move(given)),
        url(prepare()),
        vault(options.data_dir),
        pool(url, vault),
        queue(options.queue_limit) {
    open(clock);
  }

  DatabaseUrl prepare();
  void open(const Clock& clock);
  void open_vault(Connection& connection);
  void announce(std::int64_t newest);

  const StoreOptions options;
  std::unique_ptr<FileLock> lock;  // before the database is touched
  const DatabaseUrl url;
  Vault vault;
  Pool pool;
  std::atomic<std::int64_t> revision{0};
  std::atomic<std::int64_t> reads{0};
  std::mutex callbacks_mutex;
  std::vector<std::function<void(std::int64_t)>> callbacks;
  WriteQueue queue;
  std::unique_ptr<WriterThread> writer;  // last: it uses the others
};

DatabaseUrl Store::Inside::prepare() {
  create_private_directory(options.data_dir);
  DatabaseUrl parsed = parse_database_url(options.url, options.data_dir);
  if (parsed.kind == DatabaseKind::Sqlite)
    lock = std::make_unique<FileLock>(parsed.target + ".lock");
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
  writer = std::make_unique<WriterThread>(std::move(connection), queue, clock,
                                          [this](std::int64_t newest) { announce(newest); });
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

void Store::Inside::announce(std::int64_t newest) {
  std::int64_t known = revision;
  while (known < newest && !revision.compare_exchange_weak(known, newest)) {
  }
  if (known >= newest) return;
  const std::lock_guard guard(callbacks_mutex);
  for (const auto& callback : callbacks) {
    try {
      callback(newest);
    } catch (const std::exception& fault) {
      log::error("a reader of changes failed",
                 {{"revision", std::to_string(newest)}, {"what", fault.what()}});
    }
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
    connection.commit();
  } catch (...) {
    connection.rollback();
    throw;
  }
}

std::int64_t Store::write(const Actor& actor, const std::function<void(Writer&)>& work) {
  if (inside_->writer->is_current()) throw internal("a write within a write");
  Work item{.actor = actor, .run = work};
  inside_->queue.submit(item, inside_->options.write_deadline);
  if (item.failure) std::rethrow_exception(item.failure);
  return item.revision;
}

void Store::on_change(std::function<void(std::int64_t)> callback) {
  const std::lock_guard guard(inside_->callbacks_mutex);
  inside_->callbacks.push_back(std::move(callback));
}

std::int64_t Store::revision() const { return inside_->revision; }

void Store::poll() {
  if (inside_->url.kind == DatabaseKind::Sqlite) return;  // one manager alone
  std::int64_t newest = 0;
  read([&](Reader& db) { newest = db.revision(); });
  inside_->announce(newest);
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
