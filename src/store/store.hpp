// Where everything is kept: rows of declared types, the change log, and settings of the
// installation. Handlers read with `store.read`, change with `store.write`; each change of a logged
// type appends to the change log in the same transaction, and `write` returns when it is durable.
// SQL text is the same for SQLite and PostgreSQL. Nothing here knows HTTP or Envoy.
#pragma once

#include "base/outside.hpp"
#include "model/field.hpp"
#include "store/notice.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mp {

// Who changes something; kept with every change.
struct Actor {
  std::optional<std::int64_t> user_id;
  std::string name;     // "admin", "cluster default", "manager"
  std::string address;  // of the client, empty for ourselves
  std::string request_id;
};

enum class Action { Create, Update, Delete };

// One entry of the change log. `before` and `after` are the visible, stored and linked fields as
// JSON.
struct ChangeEntry {
  std::int64_t revision = 0;
  Time time;
  Actor actor;
  std::string resource;  // "service"
  std::string object_id;
  Action action = Action::Create;
  std::optional<std::int64_t> cluster_id;
  std::string before;  // empty on create
  std::string after;   // empty on delete
};

// What an entry is about, without its contents: enough for those who load the objects anyway.
struct ChangeHead {
  std::int64_t revision = 0;
  std::string resource;
  std::string object_id;
  Action action = Action::Create;
  std::optional<std::int64_t> cluster_id;
};

using Row = std::vector<Cell>;

// A list request, already checked. `where` is SQL over the table with :name parameters from
// `values`.
struct Selection {
  std::string where;  // empty: all rows
  std::vector<std::pair<std::string, Cell>> values;
  std::string order = "id";  // "name", "created_at DESC"; id is always appended as tie breaker
  std::int64_t limit = -1;   // -1: all
  std::int64_t from_id = 0;  // of the row to begin with, one of them; 0: the first
  std::int64_t offset = 0;   // rows left out from there
};

class Connection;

// Reading within one consistent view of the data. Lives only as long as the function it is passed
// to.
class Reader {
 public:
  explicit Reader(Connection& connection) : connection_(connection) {}

  template <class T, class Key>
  std::optional<T> find(const Key& id) {
    T object{};
    if (!load(describe<T>, &object, key_cell(id))) return std::nullopt;
    return object;
  }

  // Whether there is such a row.
  template <class T, class Key>
  bool has(const Key& id) {
    return has(describe<T>, key_cell(id));
  }

  // Throws NotFound naming the noun.
  template <class T, class Key>
  T get(const Key& id) {
    auto object = find<T>(id);
    if (!object) throw not_found(describe<T>.name);
    return *std::move(object);
  }

  template <class T>
  std::vector<T> select(const Selection& selection = {}) {
    std::vector<T> objects;
    each(describe<T>, selection, [&]() -> void* { return &objects.emplace_back(); });
    return objects;
  }

  template <class T>
  std::int64_t count(const Selection& selection = {}) {
    return count(describe<T>, selection);
  }

  // Plain SQL. Result columns are named with the type to read them as: {Column::Integer, …}.
  std::vector<Row> query(std::string_view sql,
                         const std::vector<std::pair<std::string, Cell>>& values,
                         const std::vector<Column>& columns);

  // Entries after `revision`, oldest first, at most `limit`.
  std::vector<ChangeEntry> changes_after(std::int64_t revision, std::int64_t limit);
  std::vector<ChangeHead> change_heads_after(std::int64_t revision, std::int64_t limit);
  // The newest revision; 0 on an empty log.
  std::int64_t revision();

 protected:
  static Cell key_cell(std::int64_t id) { return id; }
  static Cell key_cell(const std::string& id) { return id; }
  bool has(const Description& description, const Cell& id);
  bool load(const Description& description, void* object, const Cell& id);
  void each(const Description& description, const Selection& selection,
            const std::function<void*()>& next);
  std::int64_t count(const Description& description, const Selection& selection);

  Connection& connection_;
};

// Whether changes of a type are told to proxies, webhooks and audit. Sessions and heartbeats are
// not.
enum class Logged { Yes, No };

class Writer : public Reader {
 public:
  Writer(Connection& connection, const Actor& actor, Time now)
      : Reader(connection), actor_(actor), now_(now) {}

  // Sets id (when it is an empty integer), created_at, updated_at and revision 1. A broken unique
  // rule is a Conflict naming the field.
  template <class T>
  void insert(T& object, Logged logged = Logged::Yes) {
    insert(describe<T>, &object, logged);
  }
  // Writes every stored column. With Logged::Yes: revision + 1, updated_at = now, and a
  // Conflict-free optimistic check: PreconditionFailed when the row's revision is no longer the
  // object's. `before` is what the log shows as the old state; it is needed for types with linked
  // fields, for others it is read from the row. False, and nothing happens, when the object says
  // what is so already.
  template <class T>
  bool update(T& object, Logged logged = Logged::Yes) {
    return update(describe<T>, &object, nullptr, logged);
  }
  template <class T>
  bool update(T& object, const T& before) {
    return update(describe<T>, &object, &before, Logged::Yes);
  }
  template <class T>
  void remove(const T& object, Logged logged = Logged::Yes) {
    remove(describe<T>, &object, logged);
  }
  // Rows changed.
  std::int64_t execute(std::string_view sql,
                       const std::vector<std::pair<std::string, Cell>>& values);

  // An entry for something that is no row of its own, such as a sign-in. `after` says what
  // happened.
  void log(std::string_view resource, const std::string& object_id, Action action,
           std::optional<std::int64_t> cluster_id, const boost::json::object& after);

  // A part of the transaction on its own: what `work` throws undoes the part alone and is thrown
  // here, so that the transaction can go on.
  void attempt(const std::function<void()>& work);
  // As attempt, but the part is undone whatever comes of it.
  void undone(const std::function<void()>& work);

  Time now() const { return now_; }
  const Actor& actor() const { return actor_; }
  // Of the newest entry that this transaction appended, or that there was when it wrote again what
  // was so already; 0 when it has done neither.
  std::int64_t written_revision() const { return written_; }
  // Nouns of its entries that are no creation.
  const Nouns& stale() const { return stale_; }

 private:
  void insert(const Description& description, void* object, Logged logged);
  bool update(const Description& description, void* object, const void* before, Logged logged);
  void remove(const Description& description, const void* object, Logged logged);

  void record(const Description& description, const void* object, Action action, std::string before,
              std::string after);
  void note(ChangeEntry entry);
  enum class Part { Kept, Undone };
  void run_part(const std::function<void()>& work, Part part);

  const Actor& actor_;
  Time now_;
  std::int64_t written_ = 0;
  Nouns stale_;
};

struct StoreOptions {
  std::string url;       // "sqlite:/path/file.db", "sqlite:" (file in data_dir), "postgresql://…"
  std::string data_dir;  // holds the key file of sealed columns (mode 0600) and SQLite's file
  std::size_t queue_limit = 4096;      // writes waiting; more is Unavailable
  Milliseconds write_deadline{10000};  // a write that is not durable by then is Unavailable
};

// Ends a callback with its scope: none runs any more when it is gone.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> end) : end_(std::move(end)) {}
  Subscription(Subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    std::swap(end_, other.end_);
    return *this;
  }
  ~Subscription() {
    if (end_) end_();
  }

 private:
  std::function<void()> end_;
};

class Store {
 public:
  // Opens, migrates (checksums verified, one manager at a time) and starts the writer thread.
  // Throws a mp::Error with one clear line; a schema newer than the program's is refused.
  Store(StoreOptions options, const Clock& clock);
  ~Store();

  // Runs `work` on this thread with a read connection of its own. Throws Unavailable without a
  // database.
  void read(const std::function<void(Reader&)>& work);

  // Runs `work` on the writer thread inside a savepoint; several are committed together. Returns
  // when the commit is durable: the work's written_revision(). When it changed or deleted
  // something, other managers have been sent the notice of it by then. What `work` throws undoes
  // its part alone and is thrown here.
  std::int64_t write(const Actor& actor, const std::function<void(Writer&)>& work);

  // Runs `work` as `write` does, among the writes, and undoes whatever it did: nothing is kept, no
  // number is used up and nobody is told. What `work` throws is thrown here.
  void rehearse(const Actor& actor, const std::function<void(Writer&)>& work);

  // Runs one statement that counts, at once and beside the transactions of `write`: it is seen by
  // all managers when this returns, and durable a moment later. PostgreSQL only. A connection that
  // turns out to be lost is replaced and the statement run again, so it may count twice.
  std::vector<Row> tally(std::string_view sql,
                         const std::vector<std::pair<std::string, Cell>>& values,
                         const std::vector<Column>& columns);

  // Called after every commit that appended to the log, of this manager and of others; must not
  // block.
  [[nodiscard]] Subscription on_change(std::function<void(std::int64_t revision)> callback);
  // Called with the nouns of logged objects that a commit changed or deleted: for one of this
  // manager before `write` returns, for others' when PostgreSQL tells. No nouns: it may have been
  // any. Must not block.
  [[nodiscard]] Subscription on_stale(std::function<void(const Nouns&)> callback);
  // Whether `on_stale` is told what others commit as it happens, so that what was read may be
  // remembered until then.
  bool is_current() const;

  // The newest revision that was committed here, or that other managers told or a poll found.
  std::int64_t revision() const;
  // Looks for changes of other managers; calls back when there are some. Cheap; from a background
  // loop.
  void poll();

  // Whether the database answers now.
  bool healthy();
  // "sqlite" or "postgresql".
  std::string_view kind() const;

  // Encrypts with the installation's key file (libsodium secretbox, random nonce), and back. Throws
  // Internal for text that was not sealed with this key.
  std::string seal(std::string_view plain) const;
  std::string unseal(std::string_view sealed) const;

  struct Figures {
    std::int64_t commits = 0;
    std::int64_t writes = 0;
    std::int64_t reads = 0;
    std::int64_t failures = 0;
    std::int64_t queue = 0;
  };
  Figures figures() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mp
