// The JSON body of a request: the first byte says of which noun, and whether it makes or changes.
#include "api/body.hpp"
#include "fuzz.hpp"
#include "model/api_key.hpp"
#include "model/cluster.hpp"
#include "model/enrolment.hpp"
#include "model/json_text.hpp"
#include "model/mapping.hpp"
#include "model/proxy.hpp"
#include "model/service.hpp"
#include "model/sign_in.hpp"
#include "model/user.hpp"

#include <boost/json.hpp>

#include <array>
#include <memory>

using namespace mp;

namespace {

template <class T>
std::shared_ptr<void> made() {
  return std::make_shared<T>();
}

struct Noun {
  const Description* description;
  std::shared_ptr<void> (*make)();
};

const std::array nouns{
    Noun{&describe<Service>, made<Service>}, Noun{&describe<Mapping>, made<Mapping>},
    Noun{&describe<Cluster>, made<Cluster>}, Noun{&describe<User>, made<User>},
    Noun{&describe<ApiKey>, made<ApiKey>},   Noun{&describe<Proxy>, made<Proxy>}};

// What an answer says of the object can be read, and says it of the object that is kept.
void check_answer(const Noun& noun, const void* object) {
  std::string text;
  append_json(text, *noun.description, object);
  fuzz::promise(boost::json::parse(text) == boost::json::value(to_json(*noun.description, object)),
                "both writers of JSON say the same");
  const auto copy = noun.make();
  const auto stored = stored_json(*noun.description, object);
  read_stored(*noun.description, copy.get(), stored);
  fuzz::promise(stored_json(*noun.description, copy.get()) == stored, "what is stored comes back");
}

void read(const Noun& noun, unsigned way, const boost::json::value& body) {
  const auto object = noun.make();
  Violations violations;
  if (way == 0) read_new(*noun.description, object.get(), body, "", violations);
  if (way == 1) read_change(*noun.description, object.get(), body, violations);
  if (way == 2) read_patch(*noun.description, object.get(), body, violations);
  for (const auto& violation : violations)
    fuzz::promise(!violation.issue.empty(), "a violation says what is wrong");
  if (violations.empty()) check_answer(noun, object.get());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const unsigned kind = fuzz::take_byte(rest);
  http::Request request;
  request.method = "POST";
  request.body = std::string(rest);
  try {
    read(nouns[kind / 3 % nouns.size()], kind % 3, api::parse_body(request));
  } catch (const Error& error) {
    fuzz::promise(error.code == Code::Validation, "a bad body is a violation");
  }
  return 0;
}
