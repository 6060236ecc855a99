#include "access/keys.hpp"
#include "api/context.hpp"
#include "api/draft.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "api/sessions.hpp"
#include "model/api_key.hpp"

#include <algorithm>

namespace mp::api {
namespace {

constexpr std::int64_t most_keys = 100;  // of one user

Selection own(const Caller& caller, Selection selection) {
  narrow(selection, "user_id = :owner");
  selection.values.emplace_back("owner", caller.user->id);
  return selection;
}

Page<ApiKey> list_api_keys(Call& call, Listing<ApiKey> query) {
  if (query.sort.empty()) query.sort = "created_at";
  Page<ApiKey> page;
  call.read([&](Reader& db) {
    page = load_page<ApiKey>(db, query, own(call.caller, selection_of(describe<ApiKey>, query)));
  });
  for (ApiKey& key : page.items) {
    if (const auto used = call.context.key_use.of(key.id)) key.last_used = used;
  }
  return page;
}

void check_owner(const User& owner, const ApiKey& key) {
  const auto& wanted = key.permissions;
  if (!owner.is_active) throw Error(Code::Permission, "");
  if (std::ranges::find(wanted, Permission::Admin) != wanted.end() && !owner.is_admin)
    throw Error(Code::Permission, "Only an admin's key can have the permission admin");
}

Created<ApiKey> create_api_key(Call& call, Draft<ApiKey> body) {
  ApiKey key = std::move(body.value);
  const bool has_end = key.expires_at && !is_broken(body.violations, "expires_at");
  if (has_end && *key.expires_at <= call.context.clock.now())
    body.violations.push_back(
        {"expires_at", "Must be in the future", json::value(to_string(*key.expires_at))});
  refuse(std::move(body.violations));
  check_owner(*call.caller.user, key);
  const Secret text = new_api_key();
  key.id = random_text(16);
  key.user_id = call.caller.user->id;
  key.key_hash = sha256_hex(text.reveal());
  return write<Created<ApiKey>>(call, [&](Writer& db) {
    Created<ApiKey> created{key};
    check_owner(db.get<User>(key.user_id), key);  // as he is now
    if (db.count<ApiKey>(own(call.caller, {})) >= most_keys)
      throw Error(Code::Conflict, "A user has at most 100 API keys");
    created.value.created_at = db.now();
    db.insert(created.value, Logged::No);
    log_api_key(db, created.value, Action::Create);
    created.value.key = text;
    return created;
  });
}

Done delete_api_key(Call& call, Id<ApiKey> id) {
  return write<Done>(call, [&](Writer& db) {
    const auto key = db.find<ApiKey>(id.value);
    if (!key || key->user_id != call.caller.user->id) throw not_found("API key");
    check_match(call, describe<ApiKey>, &*key);
    db.remove(*key, Logged::No);
    log_api_key(db, *key, Action::Delete);
    return Done{"API key revoked"};
  });
}

}  // namespace

void api_keys(Endpoints& endpoints) {
  endpoints.add({.id = "list_api_keys",
                 .call = "GET /auth/api-keys",
                 .summary = "List one's own API keys.",
                 .through = Through::Session},
                list_api_keys);
  endpoints.add({.id = "create_api_key",
                 .call = "POST /auth/api-keys",
                 .summary = "Make an API key; it is shown this once.",
                 .through = Through::Session},
                create_api_key);
  endpoints.add({.id = "delete_api_key",
                 .call = "DELETE /auth/api-keys/{id}",
                 .summary = "Revoke an API key; it ends at once.",
                 .through = Through::Session},
                delete_api_key);
}

}  // namespace mp::api
