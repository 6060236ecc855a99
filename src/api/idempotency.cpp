#include "api/idempotency.hpp"

#include "api/context.hpp"
#include "api/multipart.hpp"
#include "base/secret.hpp"
#include "base/utf8.hpp"

#include <boost/json.hpp>

namespace mp::api {
namespace {

constexpr std::size_t longest_key = 255;
constexpr auto kept_for = std::chrono::hours(24);

// What makes two requests the same one.
std::string content_of(const http::Request& request) {
  const auto type = request.header("Content-Type");
  return is_form_data(type) ? without_boundary(type, request.body) : request.body;
}

Error busy(std::string message) {
  Error error(Code::Conflict, std::move(message));
  error.details["field"] = "Idempotency-Key";
  return error;
}

}  // namespace

bool RunningKeys::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  return keys_.insert(key).second;
}

void RunningKeys::release(const std::string& key) {
  const std::lock_guard lock(mutex_);
  keys_.erase(key);
}

Once::Once(const Call& call, std::string_view key)
    : call_(call),
      caller_(call.caller.key()),
      path_(call.request.target),
      key_(key),
      body_hash_(sha256_hex(content_of(call.request))) {
  if (key.size() > longest_key)
    throw invalid("Idempotency-Key", "Must have at most 255 characters");
  if (!is_utf8(key)) throw invalid("Idempotency-Key", "Must be UTF-8");
  if (call.context.running.take(caller_ + " " + path_ + " " + key_)) return;
  Error error = busy("The first request with this Idempotency-Key is still running");
  error.headers.emplace_back("Retry-After", "1");
  throw error;
}

Once::~Once() { call_.context.running.release(caller_ + " " + path_ + " " + key_); }

std::optional<Reply> Once::find(Reader& db) const {
  const auto since = to_milliseconds(call_.context.clock.now() - kept_for);
  const auto rows = db.query(
      "SELECT body_hash, status, answer FROM idempotency "
      "WHERE caller = :caller AND path = :path AND idempotency_key = :key AND created_at > :since",
      {{"caller", caller_}, {"path", path_}, {"key", key_}, {"since", since}},
      {Column::Sealed, Column::Integer, Column::Sealed});
  if (rows.empty()) return std::nullopt;
  if (std::get<std::string>(rows[0][0]) != body_hash_) {
    throw busy("This Idempotency-Key was used with another body");
  }
  const auto kept = boost::json::parse(std::get<std::string>(rows[0][2])).as_object();
  return Reply{.status = static_cast<int>(std::get<std::int64_t>(rows[0][1])),
               .data = boost::json::serialize(kept.at("data")),
               .message = std::string(kept.at("message").as_string()),
               .etag = std::string(kept.at("etag").as_string()),
               .revision = kept.at("revision").as_int64()};
}

void Once::keep(Writer& db, const Reply& reply) const {
  const boost::json::object answer{{"data", boost::json::parse(reply.data)},
                                   {"message", reply.message},
                                   {"etag", reply.etag},
                                   {"revision", db.written_revision()}};
  db.execute(
      "DELETE FROM idempotency WHERE caller = :caller AND path = :path AND idempotency_key = :key",
      {{"caller", caller_}, {"path", path_}, {"key", key_}});
  db.execute(
      "INSERT INTO idempotency (caller, path, idempotency_key, body_hash, status, answer, "
      "created_at) "
      "VALUES (:caller, :path, :key, :hash, :status, :answer, :now)",
      {{"caller", caller_},
       {"path", path_},
       {"key", key_},
       {"hash", call_.context.store.seal(body_hash_)},
       {"status", static_cast<std::int64_t>(reply.status)},
       {"answer", call_.context.store.seal(boost::json::serialize(answer))},
       {"now", to_milliseconds(db.now())}});
}

void forget_old_answers(Store& store, const Clock& clock) {
  const auto before = to_milliseconds(clock.now() - kept_for);
  store.write({.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""},
              [&](Writer& db) {
                db.execute("DELETE FROM idempotency WHERE created_at <= :before",
                           {{"before", before}});
              });
}

}  // namespace mp::api
