#include "xds/mark.hpp"

#include <array>
#include <charconv>

namespace mp::xds {
namespace {

using Proof = Mark::Proof;

constexpr std::array<std::pair<std::string_view, Proof>, 4> proofs{
    {{"address", Proof::Address},
     {"certificate", Proof::Certificate},
     {"jwt", Proof::Token},
     {"api_key", Proof::Key}}};

// Cuts off the part before the next slash.
std::string_view cut(std::string_view& rest) {
  const auto slash = rest.find('/');
  const std::string_view part = rest.substr(0, slash);
  rest.remove_prefix(slash == rest.npos ? rest.size() : slash + 1);
  return part;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  return whole && value > 0 ? std::optional(value) : std::nullopt;
}

bool by_credential(Proof proof) { return proof == Proof::Token || proof == Proof::Key; }

}  // namespace

std::string_view name_of(Proof proof) {
  for (const auto& [name, each] : proofs) {
    if (each == proof) return name;
  }
  return "";
}

std::string to_text(const Mark& mark) {
  std::string text = "mapping/" + std::to_string(mark.mapping);
  if (mark.proof != Proof::None) text += "/" + std::string(name_of(mark.proof));
  if (by_credential(mark.proof)) text += "/" + std::to_string(mark.service);
  return text;
}

std::optional<Mark> read_mark(std::string_view text) {
  std::string_view rest = text;
  if (cut(rest) != "mapping") return std::nullopt;
  const auto mapping = number(cut(rest));
  if (!mapping) return std::nullopt;
  Mark mark{.mapping = *mapping};
  const std::string_view proof = cut(rest);
  for (const auto& [name, each] : proofs) {
    if (name == proof) mark.proof = each;
  }
  if (by_credential(mark.proof)) mark.service = number(cut(rest)).value_or(0);
  return to_text(mark) == text ? std::optional(mark) : std::nullopt;
}

}  // namespace mp::xds
