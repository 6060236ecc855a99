#include "model/json_text.hpp"

#include "model/mapping.hpp"
#include "model/proxy.hpp"
#include "model/service.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace mp {
namespace {

template <class T>
void expect_as_serialised(const T& object) {
  std::string text;
  append_json(text, describe<T>, &object);
  EXPECT_EQ(text, boost::json::serialize(to_json(describe<T>, &object)));
}

TEST(JsonText, SaysWhatSerialisingWould) {
  Service service{.id = 7, .name = "web", .ip_fqdn = "10.0.0.1", .collection = "c"};
  expect_as_serialised(Service{});
  expect_as_serialised(service);
  service.auth_config.jwt_secret = Secret("shown once");
  service.health_check = HealthCheck{.path = "/ready\"\\\n"};
  service.endpoints = {{.address = "10.0.0.2", .port = 81, .weight = 2}, {.address = "b.example"}};
  service.tls.ca_pem = "-----BEGIN\nä\x7f\x01";
  service.status.state = State::Rejected;
  service.status.reasons = {{.proxy_id = "proxy-1", .message = "no \"port\""}};
  service.created_at = Time(Milliseconds(1'700'000'000'123));
  expect_as_serialised(service);
  expect_as_serialised(Mapping{.source_services = {{.kind = ServiceRef::Kind::Any}},
                               .protocols = {Protocol::Tcp},
                               .comments = "a\tb"});
  Proxy proxy;
  proxy.metrics = ProxyMetrics{.requests_per_second = 0.1, .cpu_usage = 12.5};
  expect_as_serialised(proxy);
}

TEST(JsonText, EscapesStrings) {
  for (const std::string text :
       {"", "plain", "a\"b", "a\\b", "a\nb", "\x01", "\x7f", "ä€😀", "</a>"}) {
    std::string written;
    append_json(written, std::string_view(text));
    EXPECT_EQ(written, boost::json::serialize(boost::json::string_view(text)));
    EXPECT_EQ(std::string(boost::json::parse(written).as_string()), text);
  }
}

}  // namespace
}  // namespace mp
