#include "api/context.hpp"
#include "api/draft.hpp"
#include "api/nouns.hpp"
#include "api/references.hpp"
#include "api/selection.hpp"
#include "model/rotation.hpp"
#include "model/service.hpp"

namespace mp::api {
namespace {

void show_status(Call& call, std::vector<Service*> services) {
  StatusReader statuses(call, services);
  statuses.see_unpublished(call);
  for (Service* service : services)
    service->status = statuses.of(describe<Service>, service->id, service->cluster_id);
}

// The secret that the type needs: a new one when the type is new.
void renew_secret(Service& service, AuthType before) {
  if (service.auth_type == before) return;
  service.previous_secret.reset();
  service.previous_secret_until.reset();
  service.secret.reset();
  if (service.auth_type != AuthType::None) service.secret = new_service_secret();
}

void show_written(Call& call, Service& service) {
  service.status = StatusReader(call, std::vector{&service}).of_written(service.cluster_id);
}

Page<Service> list_services(Call& call, Listing<Service> query) {
  Page<Service> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<Service>, query);
    narrow_to_visible(selection, call.caller);
    page = load_long_page<Service>(db, call.context.lists, query, selection);
  });
  show_status(call, pointers(page.items));
  return page;
}

Created<Service> create_service(Call& call, Draft<Service> body) {
  refuse_breaches(call, body.violations, [&](Reader& db, Violations& violations) {
    look_for_cluster(db, call.caller, body.value.cluster_id, violations);
  });
  return write<Created<Service>>(call, [&](Writer& db) {
    Created<Service> created{std::move(body.value)};
    check_cluster(db, call.caller, created.value.cluster_id);
    renew_secret(created.value, AuthType::None);
    db.insert(created.value);
    call.revision_cluster = created.value.cluster_id;
    reveal_secret(created.value);
    show_written(call, created.value);
    return created;
  });
}

Service get_service(Call& call, Id<Service> id) {
  Service service;
  call.read([&](Reader& db) { service = get_visible<Service>(db, call.caller, id.value); });
  show_status(call, {&service});
  return service;
}

Service update_service(Call& call, Id<Service> id, Change<Service> change) {
  return write<Service>(call, [&](Writer& db) {
    Service service = get_visible<Service>(db, call.caller, id.value);
    const AuthType before = service.auth_type;
    change.apply(service);
    renew_secret(service, before);
    const bool changed = db.update(service);
    call.revision_cluster = service.cluster_id;
    if (service.auth_type != before) reveal_secret(service);
    if (changed)
      show_written(call, service);
    else
      show_status(call, {&service});
    return service;
  });
}

Done delete_service(Call& call, Id<Service> id) {
  return write<Done>(call, [&](Writer& db) {
    const Service service = get_visible<Service>(db, call.caller, id.value);
    check_match(call, describe<Service>, &service);
    take_from_mappings(db, service);
    db.remove(service);
    call.revision_cluster = service.cluster_id;
    return Done{"Service deleted"};
  });
}

// The old secret stays good for the overlap; one that was still good from an earlier rotation ends
// now.
Service rotate(Call& call, Writer& db, std::int64_t id, AuthType type, std::string_view other) {
  Service service = get_visible<Service>(db, call.caller, id);
  if (service.auth_type != type) {
    throw Error(Code::Conflict, "The service's auth_type is not " + std::string(other));
  }
  service.previous_secret = std::move(service.secret);
  service.previous_secret_until =
      db.now() + std::chrono::seconds(call.context.settings.rotation.overlap);
  service.secret = new_service_secret();
  db.update(service);
  call.revision_cluster = service.cluster_id;
  return service;
}

SecretRotation rotate_jwt(Call& call, Id<Service> id) {
  return write<SecretRotation>(call, [&](Writer& db) {
    const Service service = rotate(call, db, id.value, AuthType::Jwt, "jwt");
    return SecretRotation{*service.secret, *service.previous_secret_until};
  });
}

KeyRotation rotate_key(Call& call, Id<Service> id) {
  return write<KeyRotation>(call, [&](Writer& db) {
    const Service service = rotate(call, db, id.value, AuthType::ApiKey, "api_key");
    return KeyRotation{*service.secret, *service.previous_secret_until};
  });
}

ServiceToken make_token(Call& call, Id<Service> id, Late<TokenRequest> body) {
  Service service;
  call.read([&](Reader& db) { service = get_visible<Service>(db, call.caller, id.value); });
  if (service.auth_type != AuthType::Jwt)
    throw Error(Code::Conflict, "The service's auth_type is not jwt");
  const int longest = service.auth_config.jwt_expiry.value_or(usual_jwt_expiry);
  const std::chrono::seconds life(body.read().ttl.value_or(longest));
  if (life > std::chrono::seconds(longest)) {
    throw invalid("ttl", "Must be at most the service's jwt_expiry, " + std::to_string(longest));
  }
  const Time now = call.context.clock.now();
  return {Secret(service_token(service, now, life)), now + life};
}

}  // namespace

void services(Endpoints& endpoints) {
  endpoints.add(
      {.id = "list_services", .call = "GET /services", .summary = "List backend services."},
      list_services);
  endpoints.add({.id = "create_service",
                 .call = "POST /services",
                 .summary = "Create a backend service.",
                 .errors = {Code::Conflict}},
                create_service);
  endpoints.add({.id = "get_service",
                 .call = "GET /services/{id}",
                 .summary = "Get a service.",
                 .effort = Effort::Quick},
                get_service);
  endpoints.add({.id = "update_service",
                 .call = "PUT /services/{id}",
                 .summary = "Change the fields that are sent.",
                 .errors = {Code::Conflict}},
                update_service);
  endpoints.add({.id = "patch_service",
                 .call = "PATCH /services/{id}",
                 .summary = "Change by JSON merge patch.",
                 .errors = {Code::Conflict}},
                update_service);
  endpoints.add(
      {.id = "delete_service",
       .call = "DELETE /services/{id}",
       .summary =
           "Delete a service; its mappings lose it, or go when it was the last name on a side."},
      delete_service);
  endpoints.add(
      {.id = "rotate_service_jwt",
       .call = "POST /services/{id}/rotate-jwt",
       .summary = "Replace a service's JWT secret; the old one stays good for the overlap.",
       .errors = {Code::Conflict}},
      rotate_jwt);
  endpoints.add({.id = "rotate_service_key",
                 .call = "POST /services/{id}/rotate-key",
                 .summary = "Replace a service's API key; the old one stays good for the overlap.",
                 .errors = {Code::Conflict}},
                rotate_key);
  endpoints.add({.id = "make_service_token",
                 .call = "POST /services/{id}/token",
                 .summary = "Make a JWT of a service, signed with its current secret.",
                 .errors = {Code::Conflict},
                 .effect = Effect::Nothing},
                make_token);
}

}  // namespace mp::api
