#include "api/call.hpp"

#include "api/body.hpp"
#include "api/context.hpp"
#include "api/idempotency.hpp"

#include <algorithm>

namespace mp::api {
namespace {

// Whoever lost his session or his rights since the request came does not write any more. Asks
// nothing as long as nobody's have changed.
void look_again(Call& call, Reader& db) {
  if (!call.caller.user || call.context.credentials.epoch() == call.caller_epoch) return;
  Caller now = Credentials::again(db, call.caller);
  authenticate(Needs::User, now);
  if (call.caller.is_admin() && !now.is_admin()) throw Error(Code::Permission, "");
  call.caller = std::move(now);
}

}  // namespace

const boost::json::value& Call::body() {
  if (!body_) body_ = parse_body(request);
  return *body_;
}

Actor Call::actor() const {
  return {.user_id = caller.user ? std::optional(caller.user->id) : std::nullopt,
          .name = caller.name(),
          .address = caller.address,
          .request_id = request_id};
}

void Call::read(const std::function<void(Reader&)>& work) {
  if (within) return work(*within);
  context.store.read(work);
}

void Call::write(const std::function<void(Writer&)>& work, const std::function<Reply()>& reply) {
  if (within) {
    work(*within);
    revision = std::max(revision, within->written_revision());
    return;
  }
  if (!once) {
    revision = std::max(revision, context.store.write(actor(), [&](Writer& db) {
      look_again(*this, db);
      work(db);
    }));
    return;
  }
  revision = std::max(revision, context.store.write(actor(), [&](Writer& db) {
    look_again(*this, db);
    replay = once->find(db);  // another manager may have been quicker
    if (replay) return;
    work(db);
    once->keep(db, reply());
  }));
  if (replay) revision = replay->revision;
}

const std::string& path_parameter(const Call& call, std::string_view name) {
  return std::ranges::find(call.path, name,
                           [](const auto& each) { return std::string_view(each.first); })
      ->second;
}

}  // namespace mp::api
