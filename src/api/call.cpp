#include "api/call.hpp"

#include "api/body.hpp"
#include "api/context.hpp"
#include "api/idempotency.hpp"

#include <algorithm>

namespace mp::api {

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
    revision = std::max(revision, context.store.write(actor(), work));
    return;
  }
  revision = std::max(revision, context.store.write(actor(), [&](Writer& db) {
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
