// A Content-Type up to the first zero byte, then the body of an upload.
#include "api/multipart.hpp"
#include "base/error.hpp"
#include "fuzz.hpp"

#include <functional>

using namespace mp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text_of(data, size);
  const auto content_type = fuzz::take_part(rest);
  if (!api::is_form_data(content_type)) return 0;  // refused before it is looked at
  try {
    for (const auto& part : api::parse_multipart(content_type, rest)) {
      const std::less_equal<const char*> before;
      fuzz::promise(part.content.empty() || (before(rest.data(), part.content.data()) &&
                                             before(part.content.data() + part.content.size(),
                                                    rest.data() + rest.size())),
                    "a part lies in the body");
      fuzz::promise(!part.name.empty(), "a part has a name");
    }
    api::without_boundary(content_type, rest);
  } catch (const Error& error) {
    fuzz::promise(error.code == Code::Validation && !error.violations.empty(),
                  "a bad body is a violation of something");
  }
  return 0;
}
