#include "syslog/record.hpp"
#include "syslog/endpoint.hpp"

#include <gmock/gmock.h>

namespace mp::syslog {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Record example() {
  return {.facility = Facility::Authorization,
          .severity = Severity::Warning,
          .time = Microtime{std::chrono::microseconds{1'767'225'600'000'042}},
          .host = "edge-1.example.com",
          .process = "proxy-abc",
          .kind = "auth",
          .data = {{"decision", "denied"}, {"client", "192.0.2.1"}},
          .text = "denied 192.0.2.1"};
}

TEST(Record, AsRfc5424HasIt) {
  EXPECT_EQ(render(example(), most_in_stream),
            "<84>1 2026-01-01T00:00:00.000042Z edge-1.example.com marchproxy proxy-abc auth "
            "[auth@32473 decision=\"denied\" client=\"192.0.2.1\"] denied 192.0.2.1");
}

TEST(Record, PriorityIsFacilityAndSeverity) {
  Record record = example();
  record.facility = Facility::Local0;
  record.severity = Severity::Debug;
  EXPECT_THAT(render(record, most_in_stream), StartsWith("<135>1 "));
}

TEST(Record, ValuesOfStrangersKeepTheForm) {
  Record record = example();
  record.data = {{"agent", "a\"b\\c]d\ne\x7f"}};
  EXPECT_THAT(render(record, most_in_stream), HasSubstr(R"(agent="a\"b\\c\]d%0Ae%7F"])"));
  record.data = {{"agent", "x\xff\xc0\x80y\xed\xa0\x80\xe2\x82\xac"}};
  EXPECT_THAT(render(record, most_in_stream),
              HasSubstr("agent=\"x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDy\xEF\xBF\xBD\xEF\xBF\xBD"
                        "\xEF\xBF\xBD\xe2\x82\xac\""));
  record.data = {{"agent", std::string("zero\0byte\xc2\x85", 11)}};
  EXPECT_THAT(render(record, most_in_stream), HasSubstr("agent=\"zero%00byte%C2%85\""));
}

TEST(Record, HeaderFieldsArePrintable) {
  Record record = example();
  record.host = "a b\n<1>\xc3\xa4";
  record.process = "";
  EXPECT_THAT(render(record, most_in_stream), HasSubstr("Z a?b?<1>?? marchproxy - auth ["));
  record.host = std::string(300, 'h');
  EXPECT_THAT(render(record, most_in_stream), HasSubstr(" " + std::string(255, 'h') + " march"));
}

TEST(Record, TextBeyondAsciiHasAByteOrderMark) {
  Record record = example();
  record.text = "gr\xc3\xbc\xc3\x9f";
  EXPECT_THAT(render(record, most_in_stream), EndsWith("] \xEF\xBB\xBFgr\xc3\xbc\xc3\x9f"));
  record.text = "";
  EXPECT_THAT(render(record, most_in_stream), EndsWith("\"]"));
}

TEST(Record, LongValuesAreShortened) {
  Record record = example();
  record.data.emplace_back("path", std::string(5000, 'p'));
  const std::string whole = render(record, most_in_stream);
  EXPECT_THAT(whole, HasSubstr("path=\"" + std::string(1021, 'p') + "...\"] denied"));
  for (int more = 0; more < 20; ++more) record.data.emplace_back("more", std::string(900, 'm'));
  const std::string datagram = render(record, most_in_datagram);
  EXPECT_LE(datagram.size(), most_in_datagram);
  EXPECT_THAT(datagram, HasSubstr("[auth@32473 decision=\"denied\" client=\"192.0.2.1\" path=\"" +
                                  std::string(61, 'p') + "...\" more=\""));
}

TEST(Record, NothingExceedsTheLimitAndNoCharacterIsCut) {
  Record record = example();
  record.host = std::string(300, 'h');
  for (int more = 0; more < 40; ++more) {
    std::string value;
    for (int letter = 0; letter < 200; ++letter) value += more % 2 ? "\"" : "\xe2\x82\xac";
    record.data.emplace_back("more", value);
  }
  record.text = std::string(4000, ']');
  for (std::size_t most = 512; most < 4096; most += 7) {
    const std::string line = render(record, most);
    EXPECT_LE(line.size(), most);
    EXPECT_EQ(clean(line, most), line) << "valid UTF-8";
    EXPECT_THAT(line, HasSubstr("]"));
  }
}

TEST(Endpoint, SaysHowAndWhere) {
  using Transport = Endpoint::Transport;
  EXPECT_EQ(read_endpoint("log.example:514"), (Endpoint{Transport::Udp, "log.example", "514"}));
  EXPECT_EQ(read_endpoint("udp://log.example:5"), (Endpoint{Transport::Udp, "log.example", "5"}));
  EXPECT_EQ(read_endpoint("tcp://[::1]:601"), (Endpoint{Transport::Tcp, "::1", "601"}));
  EXPECT_EQ(read_endpoint("tls://log.example:6514"),
            (Endpoint{Transport::Tls, "log.example", "6514"}));
  for (const char* wrong : {"", "log", "log:", ":514", "tls://", "tls://log"})
    EXPECT_EQ(read_endpoint(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace mp::syslog
