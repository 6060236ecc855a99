// Entries as Envoy 1.40 sends them, and the records that come of them.
#include "xds/log_entry.hpp"

#include "xds/config_fixture.hpp"
#include "xds/mark.hpp"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/wrappers.pb.h>

namespace mp::xds {
namespace {

using envoy::data::accesslog::v3::HTTPAccessLogEntry;
using envoy::data::accesslog::v3::TCPAccessLogEntry;
using syslog::Record;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Mark, ReadsWhatItWrites) {
  using Proof = Mark::Proof;
  for (const Mark& mark : {Mark{7}, Mark{7, Proof::Address}, Mark{7, Proof::Certificate},
                           Mark{7, Proof::Token, 3}, Mark{12345678901, Proof::Key, 12}}) {
    EXPECT_EQ(read_mark(to_text(mark)), mark) << to_text(mark);
  }
  EXPECT_EQ(to_text({7, Proof::Token, 3}), "mapping/7/jwt/3");
  for (const char* wrong : {"", "mapping", "mapping/", "mapping/0", "mapping/7/", "mapping/7/x",
                            "mapping/7/jwt", "mapping/7/jwt/x", "mapping/7/address/3", "mapping/+7",
                            "service/7", "mapping/99999999999999999999"})
    EXPECT_EQ(read_mark(wrong), std::nullopt) << wrong;
}

TEST(BarePath, HasNeitherQueryNorFragment) {
  EXPECT_EQ(bare_path("/a/b?token=1"), "/a/b");
  EXPECT_EQ(bare_path("/a#b?c"), "/a");
  EXPECT_EQ(bare_path("/a"), "/a");
  EXPECT_EQ(bare_path("?x"), "");
}

constexpr const char* common = R"(
  start_time { seconds: 1767225600 nanos: 1000 }
  duration { seconds: 1 nanos: 2345000 }
  downstream_direct_remote_address { socket_address { address: "192.0.2.1" port_value: 4711 } }
  downstream_local_address { socket_address { address: "192.0.2.9" port_value: 80 } }
  upstream_remote_address { socket_address { address: "10.0.0.1" port_value: 8080 } }
  upstream_cluster: "service/1/80"
  downstream_wire_bytes_received: 100
  downstream_wire_bytes_sent: 200
)";

struct LogEntryTest : testing::Test {
  LogEntryTest() {
    intent.service({{"name", "api"}});
    intent.service({{"name", "caller"}, {"auth_type", "jwt"}, {"secret", "s"}});
    intent.mapping(
        {{"source_services", {"caller"}}, {"dest_services", {"api"}}, {"auth_required", true}});
    intent.mapping({{"source_services", {"caller"}},
                    {"dest_services", {"api"}},
                    {"protocols", {"udp"}},
                    {"ports", {53}},
                    {"auth_required", true}});
    intent.mapping({{"dest_services", {"api"}}, {"protocols", {"udp"}}, {"ports", {54}}});
  }

  template <class Entry>
  Entry parse(const std::string& text) {
    Entry entry;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &entry)) << text;
    return entry;
  }
  HTTPAccessLogEntry request(const std::string& more_common, const std::string& more = "") {
    return parse<HTTPAccessLogEntry>("common_properties {" + std::string(common) + more_common +
                                     "} protocol_version: HTTP11 " + more);
  }
  TCPAccessLogEntry connection(const std::string& more_common, const std::string& state = "",
                               const std::string& more = "") {
    auto entry = parse<TCPAccessLogEntry>("common_properties {" + std::string(common) +
                                          more_common + "} " + more);
    google::protobuf::StringValue text;
    text.set_value(state);
    if (!state.empty()) {
      (*entry.mutable_common_properties()->mutable_filter_state_objects())["marchproxy.chain"]
          .PackFrom(text);
    }
    return entry;
  }
  template <class Entry>
  std::vector<Record> records(const Entry& entry, const Logging& logging) {
    intent.log(logging);
    const ClusterConfig config = intent.config();
    return records_of(entry, {source, config});
  }
  template <class Entry>
  std::string only(const Entry& entry, const Logging& logging) {
    const auto all = records(entry, logging);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? "" : render(all.front(), syslog::most_in_stream);
  }

  const LogSource source{1, "proxy-1", "edge-1"};
  const Logging auth{.auth = true}, netflow{.netflow = true}, debug{.debug = true};
  Intent intent;
};

const std::string allowed = R"(
  metadata { filter_metadata { key: "envoy.filters.http.rbac" value {
    fields { key: "enforced_engine_result" value { string_value: "allowed" } }
    fields { key: "enforced_effective_policy_id" value { string_value: "mapping/1/jwt/2" } } } } })";
const std::string denied = R"(route_name: "mapping 1"
  metadata { filter_metadata { key: "envoy.filters.http.rbac" value {
    fields { key: "enforced_engine_result" value { string_value: "denied" } } } } })";
const std::string refused = R"(route_name: "mapping 1"
  metadata { filter_metadata { key: "envoy.filters.http.jwt_authn" value {
    fields { key: "refused" value { struct_value {
      fields { key: "message" value { string_value: "Jwt is expired" } } } } } } } })";

TEST_F(LogEntryTest, WhoWasLetIn) {
  EXPECT_EQ(only(request(allowed), auth),
            "<86>1 2026-01-01T00:00:01.002346Z edge-1 marchproxy proxy-1 auth [auth@32473 "
            "decision=\"allowed\" proof=\"jwt\" caller=\"caller\" cluster=\"main\" mapping=\"1\" "
            "service=\"api\" protocol=\"http/1.1\" client=\"192.0.2.1\" client_port=\"4711\" "
            "server=\"192.0.2.9\" server_port=\"80\" upstream=\"10.0.0.1\" upstream_port=\"8080\"] "
            "allowed caller");
}

TEST_F(LogEntryTest, WhoWasNotAndWhy) {
  EXPECT_THAT(only(request(denied), auth),
              HasSubstr("decision=\"denied\" reason=\"no credential of an admitted caller\" "
                        "cluster=\"main\" mapping=\"1\" service=\"api\""));
  EXPECT_THAT(
      only(request(refused, R"(response { response_code_details:
                   "jwt_authn_access_denied{Jwt_is_expired}" })"),
           auth),
      HasSubstr("decision=\"denied\" reason=\"Jwt is expired\" cluster=\"main\" mapping=\"1\""));
}

TEST_F(LogEntryTest, WhereItWouldHaveGone) {
  auto entry = request(denied);
  entry.mutable_common_properties()->clear_upstream_cluster();
  EXPECT_THAT(only(entry, auth), HasSubstr("mapping=\"1\" service=\"api\""));
  intent.service({{"name", "shop"}});
  intent.change_mapping(
      0, [](Mapping& row) { row.dest_services.push_back({.service_id = 3, .name = "shop"}); });
  EXPECT_THAT(only(entry, auth), Not(HasSubstr("service="))) << "one of two";
  entry.mutable_request()->set_authority("SHOP:80");
  EXPECT_THAT(only(entry, auth), HasSubstr("service=\"shop\""));
}

TEST_F(LogEntryTest, WhereNothingHadToBeProvedThereIsNoDecision) {
  EXPECT_THAT(records(request(R"(route_name: "mapping 1")"), auth), IsEmpty());
  EXPECT_THAT(records(request(refused), auth), IsEmpty()) << "a token that was not needed";
  EXPECT_THAT(records(connection("", "mapping/1"), auth), IsEmpty());
}

TEST_F(LogEntryTest, ConnectionsAndTheirBytes) {
  const auto entry =
      connection("", "mapping/1", "connection_properties { received_bytes: 6 sent_bytes: 13 }");
  EXPECT_THAT(only(entry, netflow),
              HasSubstr("netflow [netflow@32473 cluster=\"main\" mapping=\"1\" service=\"api\" "
                        "protocol=\"tcp\" client=\"192.0.2.1\" client_port=\"4711\" "
                        "server=\"192.0.2.9\" server_port=\"80\" upstream=\"10.0.0.1\" "
                        "upstream_port=\"8080\" bytes_in=\"6\" bytes_out=\"13\" "
                        "duration_ms=\"1002.345\"] tcp from 192.0.2.1"));
  EXPECT_THAT(only(request(""), netflow), HasSubstr("bytes_in=\"100\" bytes_out=\"200\""));
}

TEST_F(LogEntryTest, CallersOfTcp) {
  EXPECT_THAT(only(connection("", "mapping/1/address"), auth),
              HasSubstr("decision=\"allowed\" proof=\"address\" cluster"));
  const std::string certificate = R"(tls_properties { peer_certificate_properties {
      subject_alt_name { uri: "spiffe://marchproxy/main/caller" } } })";
  EXPECT_THAT(only(connection(certificate, "mapping/1/certificate"), auth),
              HasSubstr("decision=\"allowed\" proof=\"certificate\" caller=\"caller\""));
  const std::string failed = certificate + R"(downstream_transport_failure_reason: "TLS_error")";
  EXPECT_THAT(only(connection(failed, "mapping/1/certificate"), auth),
              HasSubstr("decision=\"denied\" proof=\"certificate\" reason=\"TLS_error\" cluster"))
      << "a name that nobody vouches for is not repeated";
  auto away = connection("response_flags { no_route_found: true }");
  away.mutable_common_properties()->clear_upstream_cluster();
  EXPECT_THAT(only(away, auth), HasSubstr("decision=\"denied\" reason=\"the source address"));
}

TEST_F(LogEntryTest, SessionsOfDatagrams) {
  const auto session = [&](const std::string& port) {
    auto entry = connection(R"(metadata { filter_metadata { key: "udp.proxy.session" value {
        fields { key: "cluster_name" value { string_value: "service/1/53" } } } } })");
    entry.mutable_common_properties()
        ->mutable_downstream_local_address()
        ->mutable_socket_address()
        ->set_port_value(static_cast<unsigned>(std::stoi(port)));
    return entry;
  };
  EXPECT_THAT(only(session("53"), auth),
              HasSubstr("proof=\"address\" cluster=\"main\" mapping=\"2\""));
  EXPECT_THAT(records(session("54"), auth), IsEmpty());
  EXPECT_THAT(only(session("54"), netflow),
              HasSubstr("mapping=\"3\" service=\"api\" protocol=\"udp\""));
}

TEST_F(LogEntryTest, DetailsLeaveOutWhatMayBeACredential) {
  const auto entry = request(
      "response_flags { upstream_connection_failure: true "
      "upstream_retry_limit_exceeded: true } upstream_request_attempt_count: 3",
      R"(request { request_method: POST authority: "me:secret@shop.example"
    path: "/a/b?token=secret" original_path: "/a?token=secret" referer: "http://x/?token=secret"
    forwarded_for: "secret" user_agent: "curl/8" request_id: "id-1"
    request_headers { key: "authorization" value: "secret" } }
    response { response_code { value: 503 } response_headers { key: "set-cookie" value: "secret" } })");
  const std::string line = only(entry, debug);
  EXPECT_THAT(line, HasSubstr("debug [debug@32473 method=\"POST\" status=\"503\" "
                              "host=\"shop.example\" path=\"/a/b\""));
  EXPECT_THAT(line, HasSubstr("flags=\"UF,URX\""));
  EXPECT_THAT(line, HasSubstr("attempts=\"3\""));
  EXPECT_THAT(line, HasSubstr("user_agent=\"curl/8\"] POST /a/b"));
  EXPECT_THAT(line, Not(HasSubstr("secret")));
}

TEST_F(LogEntryTest, OneRecordForEachSwitch) {
  std::vector<std::string> kinds;
  for (const Record& record : records(request(allowed), {true, true, true}))
    kinds.push_back(record.kind);
  EXPECT_THAT(kinds, ElementsAre("auth", "netflow", "debug"));
  EXPECT_THAT(records(request(allowed), {}), IsEmpty());
}

TEST_F(LogEntryTest, AnEmptyEntryIsARecordToo) {
  for (const Record& record : records(HTTPAccessLogEntry(), {true, true, true}))
    EXPECT_THAT(render(record, syslog::most_in_datagram), HasSubstr("edge-1 marchproxy"));
  for (const Record& record : records(TCPAccessLogEntry(), {true, true, true}))
    EXPECT_THAT(render(record, syslog::most_in_datagram), HasSubstr("edge-1 marchproxy"));
}

}  // namespace
}  // namespace mp::xds
