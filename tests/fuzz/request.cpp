// A request as bytes, to a whole manager on an empty database: the first byte says who asks. The
// answer must be whole, and no failure of ours.
#include "fuzz.hpp"
#include "http/parser.hpp"
#include "stage.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json.hpp>

#include <future>

using namespace mp;

namespace {

constexpr int most_requests = 2000;  // of one database, so that lists stay short

test::Stage& stage() {
  static std::unique_ptr<test::Stage> kept;
  static int count = 0;
  if (!kept || ++count % most_requests == 0) kept = std::make_unique<test::Stage>("sqlite");
  return *kept;
}

void sign(http::Request& request, test::Stage& stage, unsigned who) {
  if (who % 4 == 0) return;
  if (who % 4 == 1)
    request.headers.emplace_back("X-Cluster-API-Key", stage.cluster_key("default"));
  else
    request.headers.emplace_back("Authorization", "Bearer " + stage.token("admin"));
}

http::Response answer_of(test::Stage& stage, const http::Request& request) {
  std::promise<http::Response> promised;
  auto future = promised.get_future();
  stage.manager().handler().handle(
      request, [&](http::Response response) { promised.set_value(std::move(response)); });
  return future.get();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const unsigned who = fuzz::take_byte(rest);
  http::Parser parser({.header = 8192, .body = 8192});
  parser.feed(rest);
  if (parser.progress() != http::Progress::Complete) return 0;
  http::Request request = parser.take();
  request.peer = "192.0.2.1";
  // Waiting is not what is tested here.
  std::erase_if(request.headers,
                [](const auto& header) { return boost::iequals(header.first, "Prefer"); });
  test::Stage& manager = stage();
  sign(request, manager, who);
  const auto response = answer_of(manager, request);
  if (response.status == 401) manager.forget_session("admin");
  fuzz::promise(response.status != 500, response.body.c_str());
  if (http::find_header(response.headers, "Content-Type").starts_with("application/json")) {
    boost::json::error_code error;
    boost::json::parse(response.body, error);
    fuzz::promise(!error, response.body.c_str());
  }
  return 0;
}
