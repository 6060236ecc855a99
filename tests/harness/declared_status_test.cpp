// Derived from the list of endpoints: the statuses and headers that the OpenAPI document promises
// are not only allowed but given, where one wrong thing in a request that is right otherwise brings
// them.
#include "form.hpp"
#include "world.hpp"

#include "api/openapi.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>

namespace mp::test {
namespace {

namespace json = boost::json;

// A request of an endpoint that is right in everything.
http::Request good_request(World& world, const api::Endpoint& endpoint) {
  http::Request request{.method = endpoint.method,
                        .target = world.path(endpoint).value_or("") + world.query(endpoint),
                        .headers = {},
                        .body = "",
                        .peer = ""};
  if (!endpoint.body) return request;
  const bool form = takes_form(endpoint);
  const json::object body = world.body(endpoint);
  request.body = form ? form_body(form_parts(endpoint, body)) : json::serialize(body);
  request.headers.emplace_back("Content-Type", form ? form_type : "application/json");
  return request;
}

bool declares(const api::Endpoint& endpoint, Code code) {
  const auto codes = api::errors_of(endpoint);
  return std::ranges::find(codes, code) != codes.end();
}

void set_header(http::Request& request, const std::string& name, const std::string& value) {
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
  request.headers.emplace_back(name, value);
}

// Asks as the one who is let in, after `spoil` has put one wrong thing into the request.
template <class Spoil>
void expect(World& world, const api::Endpoint& endpoint, int status, const As& as, Spoil spoil) {
  http::Request request = good_request(world, endpoint);
  spoil(request);
  const auto revision = world.stage().revision();
  const auto response = world.stage().ask(std::move(request), as);
  EXPECT_EQ(response.status, status) << endpoint.method << " " << endpoint.path << "\n"
                                     << response.body.substr(0, 500);
  EXPECT_EQ(world.stage().revision(), revision) << endpoint.method << " " << endpoint.path;
}

TEST(EveryEndpoint, gives_the_statuses_that_it_declares) {
  World world("sqlite", Edition::Enterprise);
  const As user{As::Kind::User, "ivan"};
  for (const auto* name : {"admin", "ivan"}) world.stage().token(name);  // signing in is a change
  for (const auto& endpoint : api::all_endpoints().all()) {
    const As& allowed = world.allowed(endpoint);
    expect(world, endpoint, 413, allowed, [](http::Request& request) {
      request.body = std::string((1 << 20) + 1, ' ');
      set_header(request, "Content-Type", "application/json");
    });
    expect(world, endpoint, 400, allowed, [](http::Request& request) {
      request.target += (request.target.find('?') == std::string::npos ? "?a=%zz" : "&a=%zz");
    });
    if (declares(endpoint, Code::Authentication) && endpoint.declaration.needs != Needs::Nothing)
      expect(world, endpoint, 401, As{}, [](http::Request&) {});
    if (endpoint.declaration.needs == Needs::Admin)
      expect(world, endpoint, 403, user, [](http::Request&) {});
    if (declares(endpoint, Code::UnsupportedMediaType))
      expect(world, endpoint, 415, allowed, [](http::Request& request) {
        request.body = "{}";
        set_header(request, "Content-Type", "text/plain");
      });
    if (api::conditional(endpoint))
      expect(world, endpoint, 412, allowed,
             [](http::Request& request) { set_header(request, "If-Match", "\"999999\""); });
    if (endpoint.method == "GET" && endpoint.has_etag)
      expect(world, endpoint, 304, allowed,
             [](http::Request& request) { set_header(request, "If-None-Match", "*"); });
  }
}

json::value data_of(const http::Response& response) {
  return json::parse(response.body).at("data");
}

// The same request twice under one key: one change and one answer. Another body is a conflict.
void check_repeat(World& world, const api::Endpoint& endpoint) {
  http::Request request = good_request(world, endpoint);
  set_header(request, "Idempotency-Key", "key-of-" + std::string(endpoint.declaration.id));
  const As& allowed = world.allowed(endpoint);
  const auto first = world.stage().ask(request, allowed);
  if (first.status >= 300) return;  // gated
  const auto revision = world.stage().revision();
  const auto second = world.stage().ask(request, allowed);
  EXPECT_EQ(second.status, first.status);
  EXPECT_EQ(data_of(second), data_of(first));
  EXPECT_EQ(world.stage().revision(), revision);
  if (takes_form(endpoint)) return;  // forms are the same whatever their boundary
  request.body += "\r\n";
  EXPECT_EQ(world.stage().ask(request, allowed).status, 409);
}

TEST(EveryEndpoint, honours_an_idempotency_key_where_it_declares_one) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (endpoint.method != "POST" || !api::changes(endpoint)) continue;
    SCOPED_TRACE(endpoint.declaration.id);
    check_repeat(world, endpoint);
  }
}

// Changes have a number, which X-Config-Revision tells; with Prefer the answer says where it is.
TEST(EveryEndpoint, tells_the_number_of_the_change_where_it_declares_one) {
  World world("sqlite", Edition::Enterprise);
  for (const auto& endpoint : api::all_endpoints().all()) {
    if (!api::changes(endpoint)) continue;
    SCOPED_TRACE(endpoint.declaration.id);
    http::Request request = good_request(world, endpoint);
    set_header(request, "Prefer", "wait=1");
    const As& allowed = world.allowed(endpoint);
    const auto before = world.stage().revision();
    const auto response = world.stage().ask(std::move(request), allowed);
    if (response.status >= 300 || world.stage().revision() == before) continue;
    EXPECT_EQ(http::find_header(response.headers, "X-Config-Revision"),
              std::to_string(world.stage().revision()));
    EXPECT_EQ(http::find_header(response.headers, "X-Config-Status"), "idle");
  }
}

}  // namespace
}  // namespace mp::test
