// What no honest client sends, to a server's session.
#include "rpc/frames.hpp"
#include "rpc/session_fixture.hpp"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace mp::rpc {
namespace {

using namespace frames;

constexpr std::uint32_t protocol_error = 1, enhance_your_calm = 11;

struct HostileTest : testing::Test {
  HostileTest() { EXPECT_TRUE(say(greeting())); }
  ~HostileTest() override { server.end_all({code::unavailable, {}}); }

  bool say(std::string_view bytes) {
    const bool fine = server.take(bytes);
    desk.settle();
    heard += output_of(server);
    desk.settle();
    heard += output_of(server);
    return fine;
  }
  // The error of the last frame of that type, in its last four bytes before any words.
  std::optional<std::uint32_t> error_of(Type type) const {
    std::optional<std::uint32_t> found;
    for (std::size_t at = 0; at + 9 <= heard.size();) {
      const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(heard[at + n]); };
      const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      const std::size_t where = type == GoAway ? 13 : 9;
      if (byte(3) == type && size >= where - 5)
        found = byte(where) << 24 | byte(where + 1) << 16 | byte(where + 2) << 8 | byte(where + 3);
      at += 9 + size;
    }
    return found;
  }
  // Goes on until the session ends; how often it could.
  int flood(const std::string& bytes, int most) {
    int count = 0;
    while (count < most && !server.finished()) {
      say(bytes);
      ++count;
    }
    return count;
  }
  // A text in the fields that were answered.
  bool has(std::string_view text) const {
    const std::unique_ptr<nghttp2_hd_inflater, decltype(&nghttp2_hd_inflate_del)> inflater{
        [] {
          nghttp2_hd_inflater* made = nullptr;
          nghttp2_hd_inflate_new(&made);
          return made;
        }(),
        nghttp2_hd_inflate_del};
    std::string all;
    for (std::size_t at = 0; at + 9 <= heard.size();) {
      const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(heard[at + n]); };
      const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      const auto* next = reinterpret_cast<const std::uint8_t*>(heard.data()) + at + 9;
      for (std::size_t rest = byte(3) == Headers ? size : 0; rest > 0;) {
        nghttp2_nv field{};
        int flags = 0;
        const auto used = nghttp2_hd_inflate_hd2(inflater.get(), &field, &flags, next, rest, 1);
        if (used < 0) return false;
        next += used;
        rest -= static_cast<std::size_t>(used);
        all.append(reinterpret_cast<const char*>(field.value), field.valuelen).append("\n");
      }
      nghttp2_hd_inflate_end_headers(inflater.get());
      at += 9 + size;
    }
    return all.find(text) != all.npos;
  }

  Limits limits{
      .largest_message = 100'000, .largest_opening = 100'000, .calls = 100, .idle_frames = 50};
  Stage stage;
  Accept accept = stage.function();
  Desk desk;
  Session server{limits, desk, "192.0.2.1", accept};
  std::string heard;
};

TEST_F(HostileTest, AnotherProtocolIsNone) {
  Session other{limits, desk, "192.0.2.1", accept};
  EXPECT_FALSE(other.take("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(other.greeted());
  output_of(other);
  EXPECT_TRUE(other.finished());
}

TEST_F(HostileTest, FramesOfNoSenseEndTheConnection) {
  say(frame(Data, 0, 1, "x"));
  EXPECT_EQ(error_of(GoAway), protocol_error);
  EXPECT_TRUE(server.finished());
}

TEST_F(HostileTest, AFrameBeyondTheAgreedSizeEndsTheConnection) {
  say(request(1, head("/echo")) + frame(Data, 0, 1, std::string(16'385, 'x')));
  EXPECT_EQ(error_of(GoAway), 6U) << "FRAME_SIZE_ERROR";
  EXPECT_TRUE(server.finished());
}

TEST_F(HostileTest, MoreThanTheWindowEndsTheCall) {
  say(request(1, head("/mute")));
  const std::string data = frame(Data, 0, 1, std::string(16'000, 'x'));
  for (std::uint32_t sent = 0; sent <= limits.call_window; sent += 16'000) say(data);
  EXPECT_EQ(error_of(Reset), 3U) << "FLOW_CONTROL_ERROR";
  EXPECT_EQ(stage.ears().at(0)->code(), code::cancelled);
}

TEST_F(HostileTest, AWindowThatOverflowsEndsTheCall) {
  say(request(1, head("/mute")));
  say(frame(WindowUpdate, 0, 1, number(0x7fffffff, 4)));
  EXPECT_EQ(error_of(Reset), 3U);
  say(frame(WindowUpdate, 0, 0, number(0, 4)));
  EXPECT_EQ(error_of(GoAway), protocol_error);
}

TEST_F(HostileTest, NothingIsSentIntoAWindowThatIsClosed) {
  Session other{limits, desk, "192.0.2.1", accept};
  // SETTINGS_INITIAL_WINDOW_SIZE = 0
  other.take(std::string(preface) + frame(Settings, 0, 0, number(4, 2) + number(0, 4)) +
             request(1, head("/mute")));
  output_of(other);
  const auto theirs = stage.ears().at(0);
  for (int n = 0; n < 40; ++n) theirs->call->write(one(std::string(100, 'y')));
  EXPECT_EQ(theirs->call->write(one("y")), 41U) << "its writer is told that they wait";
  desk.settle();
  EXPECT_EQ(output_of(other).find("yyy"), std::string::npos);
  theirs->call->finish({code::unavailable, "bye"});
  theirs->call->abort();
  desk.settle();
  output_of(other);
  EXPECT_EQ(theirs->code(), code::cancelled);
}

TEST_F(HostileTest, CallsThatAreRefusedAndNotHeardOfAreTooMuch) {
  std::uint32_t stream = 1;
  for (; stream < 2 * limits.calls; stream += 2) server.take(request(stream, head("/mute")));
  EXPECT_EQ(server.calls(), limits.calls);
  EXPECT_FALSE(server.overfull());
  for (int n = 0; n < 10'000 && !server.overfull(); ++n, stream += 2)
    server.take(request(stream, head("/mute")));
  EXPECT_TRUE(server.overfull());
  EXPECT_LT(stream, 2'000U);
}

TEST_F(HostileTest, MessagesInTheSmallestPiecesAreKeptWhole) {
  say(request(1, head("/mute")));
  std::string text;
  for (int n = 0; n < 50'000; ++n) text += static_cast<char>('a' + n % 26);
  std::string frames;
  for (const char each : prefix_of(text.size()) + text) frames += frame(Data, 0, 1, {&each, 1});
  say(frames);
  const auto theirs = stage.ears().at(0);
  EXPECT_TRUE(theirs->messages().empty());
  theirs->call->read();
  desk.settle();
  ASSERT_EQ(theirs->messages().size(), 1U);
  EXPECT_TRUE(theirs->messages().front() == text);
}

TEST_F(HostileTest, PingsAreCounted) {
  EXPECT_LT(flood(frame(Ping, 0, 0, "12345678"), 1'000), 60);
  EXPECT_EQ(error_of(GoAway), enhance_your_calm);
}

TEST_F(HostileTest, PingsThatAreSeldomAreFine) {
  for (int n = 0; n < 1'000; ++n) {
    say(frame(Ping, 0, 0, "12345678"));
    if (n % 5 == 0) server.tick();
  }
  EXPECT_FALSE(server.finished());
}

TEST_F(HostileTest, SettingsAreCounted) {
  EXPECT_LT(flood(frame(Settings, 0, 0, number(3, 2) + number(7, 4)), 1'000), 60);
  EXPECT_EQ(error_of(GoAway), enhance_your_calm);
}

TEST_F(HostileTest, EmptyFramesOfDataAreCounted) {
  say(request(1, head("/echo")));
  EXPECT_LT(flood(frame(Data, 0, 1, ""), 1'000), 60);
  EXPECT_EQ(stage.ears().at(0)->code(), -1) << "the connection's owner ends its calls";
}

TEST_F(HostileTest, CallsThatAreMadeAndResetAreCounted) {
  std::uint32_t stream = 1;
  while (stream < 10'000 && !server.finished()) {
    say(request(stream, head("/echo")) + frame(Reset, 0, stream, number(8, 4)));
    stream += 2;
  }
  EXPECT_TRUE(server.finished());
  EXPECT_EQ(server.calls(), 0U);
}

TEST_F(HostileTest, AHeadWithoutAnEndIsCutOff) {
  say(frame(Headers, 0, 1, block(head("/echo"))));
  EXPECT_LT(flood(frame(Continuation, 0, 1, block({{"a", std::string(1'000, 'b')}})), 100), 99);
  EXPECT_TRUE(stage.ears().empty());
}

TEST_F(HostileTest, AHeadOfManyFieldsIsRefused) {
  Fields fields = head("/echo");
  for (int n = 0; n < 20; ++n) fields.emplace_back("x-field", std::string(700, 'v'));
  say(request(1, fields));
  EXPECT_EQ(stage.ears().size(), 1U) << "14 KiB";
  fields = head("/echo");
  for (int n = 0; n < 20; ++n) fields.emplace_back("x-field", std::string(800, 'v'));
  say(request(3, fields));
  EXPECT_EQ(stage.ears().size(), 1U);
  EXPECT_EQ(server.calls(), 1U);
}

TEST_F(HostileTest, OtherMethodsAndTypesAreNoCalls) {
  Fields get = head("/echo");
  get.front().second = "GET";
  say(request(1, get));
  Fields json = head("/echo");
  json.back().second = "application/json";
  say(request(3, json));
  json.back().second = "application/grpcs";
  say(request(5, json));
  EXPECT_TRUE(stage.ears().empty());
  EXPECT_EQ(server.calls(), 0U);
  json.back().second = "application/grpc+proto";
  say(request(7, json));
  EXPECT_EQ(stage.ears().size(), 1U);
}

TEST_F(HostileTest, CompressedMessagesAreRefused) {
  say(request(1, head("/echo")) + frame(Data, 0, 1, std::string("\x01\0\0\0\x01z", 6)));
  EXPECT_TRUE(has("compressed messages are not taken"));
  EXPECT_EQ(stage.ears().at(0)->code(), code::cancelled);
}

TEST_F(HostileTest, AMessageThatIsCutOffIsAFault) {
  say(request(1, head("/echo")) + frame(Data, end_stream, 1, prefix_of(9) + "short"));
  EXPECT_TRUE(has("the call ends in a message"));
  EXPECT_TRUE(stage.ears().at(0)->messages().empty());
}

TEST_F(HostileTest, WhoHasSaidNothingYetMayBeginLittle) {
  limits.connection_window = 0;
  limits.largest_opening = 20'000;
  const std::string part(16'000, 'x');
  say(request(1, head("/echo")) + frame(Data, 0, 1, prefix_of(90'000) + part));
  EXPECT_EQ(server.calls(), 1U);
  say(frame(Data, 0, 1, part));
  EXPECT_TRUE(has("too many long messages at once"));
  say(request(3, head("/echo")) + frame(Data, 0, 3, prefix_of(1) + "x"));
  say(request(5, head("/echo")) + frame(Data, 0, 5, prefix_of(90'000) + part));
  say(frame(Data, 0, 5, part));
  EXPECT_EQ(server.calls(), 2U);
}

TEST_F(HostileTest, ManyLongUnfinishedMessagesAreTooMuch) {
  limits.connection_window = 0;
  for (std::uint32_t stream = 1; stream < 20; stream += 2) {
    say(request(stream, head("/echo")) +
        frame(Data, 0, stream, prefix_of(90'000) + std::string(16'000, 'x')));
  }
  EXPECT_TRUE(has("too many long messages at once"));
  EXPECT_LT(server.calls(), 10U);
}

TEST_F(HostileTest, FieldsThatHttpForbidsEndTheCall) {
  Fields fields = head("/echo");
  fields.emplace_back("Upper", "x");
  say(request(1, fields));
  EXPECT_EQ(error_of(Reset), protocol_error);
  fields.back() = {"connection", "keep-alive"};
  say(request(3, fields));
  EXPECT_TRUE(stage.ears().empty());
  EXPECT_EQ(server.calls(), 0U);
}

TEST_F(HostileTest, AnIndexBeyondTheTableEndsTheConnection) {
  say(frame(Headers, end_headers, 1, "\xff\xff\xff\x0f"));
  EXPECT_EQ(error_of(GoAway), 9U) << "COMPRESSION_ERROR";
  EXPECT_TRUE(server.finished());
}

}  // namespace
}  // namespace mp::rpc
