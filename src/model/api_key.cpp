#include "model/api_key.hpp"

#include <algorithm>

namespace mp {

void check_api_key(const void* object, Violations& violations) {
  const auto& list = static_cast<const ApiKey*>(object)->permissions;
  for (auto each = list.begin(); each != list.end(); ++each) {
    if (std::find(list.begin(), each, *each) == each) continue;
    violations.push_back(
        {"permissions[" + std::to_string(each - list.begin()) + "]", "Is listed twice"});
  }
}

}  // namespace mp
