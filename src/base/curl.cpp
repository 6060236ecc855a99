#include "base/curl.hpp"

#include <algorithm>
#include <cctype>
#include <new>
#include <tuple>

namespace mp::curl {
namespace {

constexpr std::size_t most_headers = 100;

bool is_space(char letter) { return std::isspace(static_cast<unsigned char>(letter)) != 0; }

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return lowered;
}

struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

}  // namespace

List list_of(std::span<const std::string> lines) {
  List list;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    std::ignore = list.release();  // the longer list owns the shorter
    list.reset(longer);
  }
  return list;
}

std::string_view value_of(const Headers& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &Headers::value_type::first);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* headers) {
  auto& taken = *static_cast<Headers*>(headers);
  const std::string_view line(bytes, size);
  if (line.starts_with("HTTP/")) taken.clear();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || taken.size() == most_headers) return size;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  taken.emplace_back(lower(line.substr(0, colon)), value);
  return size;
}

std::string url_encoded(std::string_view text) {
  // Of an empty text libcurl would take the length by itself, which is 0 as well.
  const std::unique_ptr<char, FreeText> encoded(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
  if (!encoded) throw std::bad_alloc();
  return encoded.get();
}

}  // namespace mp::curl
