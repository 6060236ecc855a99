#include "rpc/assembly.hpp"

#include <algorithm>

namespace mp::rpc {
namespace {

constexpr std::size_t prefix_size = 5;

std::size_t length_in(std::string_view prefix) {
  std::size_t length = 0;
  for (const char each : prefix.substr(1, 4))
    length = length << 8 | static_cast<unsigned char>(each);
  return length;
}

}  // namespace

Assembly::Taken Assembly::take(std::string_view& input) {
  if (!partial_.empty() || input.size() < prefix_size) keep(input, prefix_size);
  const std::string_view prefix = partial_.empty() ? input : std::string_view(partial_);
  if (prefix.size() < prefix_size) return {};
  if (prefix[0] != 0) return {Outcome::Compressed};
  const std::size_t length = length_in(prefix), whole = prefix_size + length;
  if (length > largest_) return {Outcome::TooLarge};
  if (partial_.empty() && input.size() >= whole) {
    const std::string_view message = input.substr(prefix_size, length);
    input.remove_prefix(whole);
    return {Outcome::Message, message};
  }
  keep(input, whole);
  if (partial_.size() < whole) return {};
  return {Outcome::Message, std::string_view(partial_).substr(prefix_size)};
}

void Assembly::drop() {
  if (!partial_.empty()) partial_ = {};  // with its memory: most streams say little, and seldom
}

void Assembly::keep(std::string_view& input, std::size_t until) {
  if (partial_.size() >= until) return;
  const std::size_t count = std::min(input.size(), until - partial_.size());
  partial_.append(input.substr(0, count));
  input.remove_prefix(count);
}

}  // namespace mp::rpc
