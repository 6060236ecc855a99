// A credential: as a session's token, and as an API key. What was not made here never passes.
#include "access/token.hpp"
#include "fuzz.hpp"

#include <string>

using namespace mp;

namespace {

const ManualClock& clock_at_noon() {
  static const ManualClock clock{*parse_time("2026-03-01T12:00:00Z")};
  return clock;
}

// A genuine one, changed in one place: the input says where and how.
void changed_token(const Tokens& tokens, std::string_view rest) {
  static const std::string genuine =
      tokens.issue(TokenType::Access, 7, "session", std::chrono::seconds{60}).reveal();
  std::string token = genuine;
  const std::size_t place = (fuzz::take_byte(rest) * 256 + fuzz::take_byte(rest)) % token.size();
  token.replace(place, std::min(rest.size(), token.size() - place), rest);
  const auto read = tokens.verify(token, TokenType::Access);
  fuzz::promise(!read || (read->user_id == 7 && read->session_id == "session"),
                "a changed token says nothing new");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokens tokens(Secret(std::string(32, 'k')), clock_at_noon());
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::promise(!tokens.verify(text, TokenType::Access) || text.size() > 64, "a token is long");
  fuzz::promise(!tokens.verify(text, TokenType::Refresh), "nobody else makes refresh tokens");
  changed_token(tokens, text);
  if (is_sound_api_key(text)) fuzz::promise(is_api_key(text), "a sound key is a key");
  mask_key(text);
  return 0;
}
