// Bytes of a client to a server's HTTP/2 session, in pieces: the first byte is the size of the
// pieces. The second says whether the client's greeting is put before them. Calls are echoed.
#include "fuzz.hpp"
#include "rpc/session_fixture.hpp"

using namespace mp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const std::size_t step = fuzz::take_byte(rest) + 1;
  const bool greeted = fuzz::take_byte(rest) % 2 == 0;
  const rpc::Limits limits{.largest_message = 1'024,
                           .largest_head = 1'024,
                           .calls = 10,
                           .call_window = 65'535,
                           .connection_window = 65'535,
                           .idle_frames = 50};
  rpc::Stage stage;
  const rpc::Accept accept = stage.function();
  rpc::Desk desk;
  rpc::Session server{limits, desk, "192.0.2.1", accept};
  if (greeted)
    server.take(std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
  while (!rest.empty() && !server.finished()) {
    const auto piece = rest.substr(0, step);
    rest.remove_prefix(piece.size());
    server.take(piece);
    fuzz::promise(server.calls() <= limits.calls, "there are no more calls than were allowed");
    desk.settle();
    rpc::output_of(server);
    desk.settle();
    rpc::output_of(server);
  }
  server.end_all({rpc::code::unavailable, {}});
  for (const auto& ear : stage.ears()) {
    fuzz::promise(ear->ended().has_value(), "every call has an end");
    for (const auto& message : ear->messages())
      fuzz::promise(message.size() <= limits.largest_message, "a message is within its limit");
  }
  return 0;
}
