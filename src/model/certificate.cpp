#include "model/certificate.hpp"

#include <algorithm>

namespace mp {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

}  // namespace

bool covers(const Certificate& certificate, std::string_view host) {
  const auto dot = host.find('.');
  return std::ranges::any_of(certificate.subject_alt_names, [&](std::string_view name) {
    if (same(name, host)) return true;
    const bool one_label = dot != std::string_view::npos && dot > 0 && !host.starts_with("*");
    return one_label && name.starts_with("*.") && !normal_address(host) &&
           same(name.substr(1), host.substr(dot));
  });
}

}  // namespace mp
