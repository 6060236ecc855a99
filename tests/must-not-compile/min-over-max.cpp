// Expected: min is above max
#include "model/shape.hpp"

struct Thing {
  int first = 0;
  int second = 0;
};

inline constexpr mp::Field only =
    mp::field<&Thing::first>("first", "The first.", {.min = 2, .max = 1});
