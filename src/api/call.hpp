// One request on its way through an endpoint: what came in, who asks, and what the answer carries
// besides its data. Made by api/api, passed to handlers; never outlives the request.
#pragma once

#include "access/policy.hpp"
#include "http/message.hpp"
#include "store/store.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <vector>

namespace mp::api {

struct Context;
class Once;

// As a cluster of a change: it concerns all of them.
inline constexpr std::int64_t every_cluster = -1;

using Parameters = std::vector<std::pair<std::string, std::string>>;

// What an endpoint answers, before it becomes an envelope.
struct Reply {
  int status = 200;
  std::string data = "null";  // JSON text
  std::string message = "Operation completed successfully";
  std::string etag{};          // without quotes; empty: none
  std::string content_type{};  // not empty: `text` is the whole body, there is no envelope
  std::string text{};
  std::int64_t revision = 0;  // of a kept answer: the change that its request made
};

struct Call {
  Call(const http::Request& request, Context& context) : request(request), context(context) {}

  const http::Request& request;
  Context& context;
  Caller caller{};
  std::uint64_t caller_epoch = 0;  // of the credentials, when the caller was found
  Parameters path{};               // {id} → "42", decoded
  Parameters query{};              // decoded, in the order they came
  std::string request_id{};
  std::string etag{};                 // of the answer, where the result has no revision of its own
  http::Headers headers{};            // of the answer, beside the usual ones
  http::Headers limits{};             // of the answer, also of a failure: the caller's rate limit
  std::int64_t revision = 0;          // newest change-log entry this request made
  std::int64_t revision_cluster = 0;  // cluster it concerns; 0: none in particular
  Writer* within = nullptr;           // the transaction that it is a part of; null: it has its own
  const Once* once = nullptr;         // its Idempotency-Key, while the handler runs
  std::optional<Reply> replay{};  // the stored answer of an Idempotency-Key, instead of a new one

  // The parsed body; Code::UnsupportedMediaType and Validation errors as the contract has them.
  const boost::json::value& body();

  Actor actor() const;
  void read(const std::function<void(Reader&)>& work);
  // Runs `work` in a transaction; with an Idempotency-Key what `reply` then makes is kept in the
  // same transaction, or the kept one becomes `replay` and `work` does not run. Sets `revision`.
  // `within` another transaction nothing is kept. A caller who has lost his session or his rights
  // since the request came, as while a password was hashed, is refused before `work`.
  void write(const std::function<void(Writer&)>& work, const std::function<Reply()>& reply);

 private:
  std::optional<boost::json::value> body_;
};

// The path parameter of that name; the route guarantees that it is there.
const std::string& path_parameter(const Call& call, std::string_view name);

}  // namespace mp::api
