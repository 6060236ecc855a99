#include "api/openapi_headers.hpp"

#include "api/answer.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <exception>

namespace mp::api {
namespace {

namespace json = boost::json;

enum class Presence { Always, Sometimes };

struct HeaderFacts {
  std::string_view component;  // its key under components.headers
  std::string_view name;
  Presence presence;
  std::string_view help;
  std::string_view schema;  // JSON text
  std::string_view example;
};

constexpr std::array facts_of_headers{
    HeaderFacts{"X-API-Version", "X-API-Version", Presence::Always, "Version of the API.",
                R"({"type": "string", "enum": ["1.0.0"]})", R"("1.0.0")"},
    HeaderFacts{"X-Request-ID", "X-Request-ID", Presence::Always,
                "The request's id: the one that was sent, or a new one. The log names it.",
                R"({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"})", R"("req_abc123")"},
    HeaderFacts{"Cache-Control", "Cache-Control", Presence::Always,
                "Whether and how long the answer may be kept.", R"({"type": "string"})",
                R"("no-store")"},
    HeaderFacts{"Cache-Control-Asset", "Cache-Control", Presence::Sometimes,
                "How long the file may be kept.", R"({"type": "string"})",
                R"("public, max-age=86400")"},
    HeaderFacts{"Content-Encoding", "Content-Encoding", Presence::Sometimes,
                "How the file is compressed.", R"({"type": "string", "enum": ["gzip"]})",
                R"("gzip")"},
    HeaderFacts{"Content-Security-Policy", "Content-Security-Policy", Presence::Always,
                "What the page may load: nothing from elsewhere.", R"({"type": "string"})",
                R"("default-src 'self'")"},
    HeaderFacts{"X-Content-Type-Options", "X-Content-Type-Options", Presence::Always,
                "The content is of the type that it says.",
                R"({"type": "string", "enum": ["nosniff"]})", R"("nosniff")"},
    HeaderFacts{"ETag", "ETag", Presence::Always,
                "Version of the object, for If-Match and If-None-Match.",
                R"({"type": "string", "pattern": "^\"[!#-~]+\"$"})", R"("\"3-live\"")"},
    HeaderFacts{"Location", "Location", Presence::Always, "Where what was made can be read.",
                R"({"type": "string"})", R"("/api/v1/services/42")"},
    HeaderFacts{"Link", "Link", Presence::Always,
                "The pages first, prev, next and last, as far as there are such.",
                R"({"type": "string"})", R"("</api/v1/services?page=1>; rel=\"first\"")"},
    HeaderFacts{"Link-Successor", "Link", Presence::Sometimes,
                "Only under /api/v0: where the same is under /api/v1.", R"({"type": "string"})",
                R"("</api/v1/services>; rel=\"successor-version\"")"},
    HeaderFacts{"Deprecation", "Deprecation", Presence::Sometimes,
                "Only under /api/v0: since when it is deprecated (RFC 9745).",
                R"({"type": "string"})", R"("@1765497600")"},
    HeaderFacts{"Sunset", "Sunset", Presence::Sometimes,
                "Only under /api/v0: until when it answers (RFC 8594).", R"({"type": "string"})",
                R"("Sat, 12 Dec 2026 00:00:00 GMT")"},
    HeaderFacts{"X-RateLimit-Limit", "X-RateLimit-Limit", Presence::Sometimes,
                "Requests that the window has room for; absent where the limit is off.",
                R"({"type": "integer", "format": "int64", "minimum": 1})", "1000"},
    HeaderFacts{"X-RateLimit-Remaining", "X-RateLimit-Remaining", Presence::Sometimes,
                "How many of them are left.",
                R"({"type": "integer", "format": "int64", "minimum": 0})", "742"},
    HeaderFacts{"X-RateLimit-Reset", "X-RateLimit-Reset", Presence::Sometimes,
                "When the window closes, in seconds since 1970.",
                R"({"type": "integer", "format": "int64", "minimum": 0})", "1702387200"},
    HeaderFacts{"X-Config-Revision", "X-Config-Revision", Presence::Sometimes,
                "Number of the change, where the request made one: see /revisions/{id}.",
                R"({"type": "integer", "format": "int64", "minimum": 1})", "17"},
    HeaderFacts{"X-Config-Status", "X-Config-Status", Presence::Sometimes,
                "With Prefer: wait: where the change is, when the wait ended.",
                R"({"type": "string", "enum": ["live", "pending", "rejected", "idle"]})",
                R"("live")"},
    HeaderFacts{"Preference-Applied", "Preference-Applied", Presence::Sometimes,
                "With Prefer: wait: how long the answer was ready to wait.",
                R"({"type": "string", "pattern": "^wait=[0-9]+$"})", R"("wait=10")"},
    HeaderFacts{"Retry-After", "Retry-After", Presence::Always,
                "Seconds until it is worth trying again.",
                R"({"type": "integer", "format": "int32", "minimum": 1})", "1"},
    HeaderFacts{"Retry-After-Running", "Retry-After", Presence::Sometimes,
                "Seconds to wait, while the first request with this Idempotency-Key is running.",
                R"({"type": "integer", "format": "int32", "minimum": 1})", "1"},
    HeaderFacts{"Retry-After-Busy", "Retry-After", Presence::Sometimes,
                "Seconds to wait, when the manager is too busy to say how it is.",
                R"({"type": "integer", "format": "int32", "minimum": 1})", "1"},
    HeaderFacts{"Cache-Control-Busy", "Cache-Control", Presence::Sometimes,
                "no-store, when the manager is too busy to say how it is.", R"({"type": "string"})",
                R"("no-store")"},
    HeaderFacts{"WWW-Authenticate", "WWW-Authenticate", Presence::Always, "How to prove who calls.",
                R"({"type": "string"})", R"("Bearer realm=\"marchproxy\"")"},
};

const HeaderFacts& facts_of(std::string_view component) {
  const auto found = std::ranges::find(facts_of_headers, component, &HeaderFacts::component);
  if (found == facts_of_headers.end()) std::terminate();  // a declaration is wrong
  return *found;
}

}  // namespace

void add_header(json::object& headers, std::string_view component) {
  headers[facts_of(component).name] = {{"$ref", "#/components/headers/" + std::string(component)}};
}

json::object common_headers(Place place) {
  json::object headers;
  add_header(headers, "X-API-Version");
  add_header(headers, "X-Request-ID");
  if (place == Place::Root) return headers;
  for (const auto* component : {"Deprecation", "Sunset", "Link-Successor"})
    add_header(headers, component);
  if (place == Place::Unlimited) return headers;
  for (const auto* component : {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"})
    add_header(headers, component);
  return headers;
}

json::object header_components() {
  json::object headers;
  for (const HeaderFacts& each : facts_of_headers) {
    headers[each.component] = {{"description", each.help},
                               {"required", each.presence == Presence::Always},
                               {"schema", json::parse(each.schema)},
                               {"example", json::parse(each.example)}};
  }
  return headers;
}

}  // namespace mp::api
