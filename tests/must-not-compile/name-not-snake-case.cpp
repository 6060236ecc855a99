// Expected: a field's name is in snake_case
#include "model/shape.hpp"

struct Thing {
  int first = 0;
  int second = 0;
};

inline constexpr mp::Field only = mp::field<&Thing::first>("firstOne", "The first.");
