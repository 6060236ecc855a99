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

class World {
 public:
  // Before each request.
  void next() {
    if (!stage_ || ++requests_ % most_requests == 0) renew();
  }

  test::Stage& stage() { return *stage_; }

  // Requests before this one may have locked the administrator out: wrong passwords, another name,
  // another password. That is what they ask for; the next one finds a database as it was.
  std::string token() {
    try {
      return stage_->token("admin");
    } catch (const std::runtime_error&) {
      renew();
      return stage_->token("admin");
    }
  }

 private:
  void renew() {
    stage_.reset();
    stage_ = std::make_unique<test::Stage>("sqlite");
  }

  std::unique_ptr<test::Stage> stage_;
  int requests_ = 0;
};

World& world() {
  static World kept;
  return kept;
}

void sign(http::Request& request, unsigned who) {
  if (who % 4 == 0) return;
  if (who % 4 == 1)
    request.headers.emplace_back("X-Cluster-API-Key", world().stage().cluster_key("default"));
  else
    request.headers.emplace_back("Authorization", "Bearer " + world().token());
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
  request.peer = "198.51.100.7";  // not where the administrator signs in from: see stage.cpp
  // Waiting is not what is tested here.
  std::erase_if(request.headers,
                [](const auto& header) { return boost::iequals(header.first, "Prefer"); });
  world().next();
  sign(request, who);
  test::Stage& manager = world().stage();
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
